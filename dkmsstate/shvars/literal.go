package shvars

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// literal returns the text of a word. It reports false if the word contains an expansion. That
// of $kernelver, which dkms sets itself, stays as it is.
func literal(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", true
	}
	var b strings.Builder
	for i, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if i == 0 && strings.HasPrefix(p.Value, "~") || strings.Contains(p.Value, ":~") {
				return "", false // a home directory
			}
			b.WriteString(unescape(p.Value))
		case *syntax.SglQuoted:
			if p.Dollar {
				return "", false
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				lit, ok := inner.(*syntax.Lit)
				switch {
				case ok:
					b.WriteString(unescapeQuoted(lit.Value))
				case isKernelver(inner):
					b.WriteString("${kernelver}")
				default:
					return "", false
				}
			}
		case *syntax.ParamExp:
			if !isKernelver(p) {
				return "", false
			}
			b.WriteString("${kernelver}")
		default:
			return "", false
		}
	}
	return runesToBytes(b.String()), true
}

// isKernelver reports whether a part of a word is $kernelver.
func isKernelver(part syntax.WordPart) bool {
	p, ok := part.(*syntax.ParamExp)
	return ok && p.Param.Value == "kernelver" && !p.Excl && !p.Length && !p.Width &&
		p.Index == nil && p.Slice == nil && p.Repl == nil && p.Names == 0 && p.Exp == nil
}

// expandsToMany reports whether bash may expand a literal word in an array to several elements,
// by filename or brace expansion.
func expandsToMany(w *syntax.Word) bool {
	for _, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); ok && strings.ContainsAny(lit.Value, "*?[{") {
			return true
		}
	}
	return false
}

// unescape removes the backslashes from an unquoted literal.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unescapeQuoted does the same between double quotes, where a backslash is special only before
// $ ` " \ and a newline.
func unescapeQuoted(s string) string {
	return strings.NewReplacer(`\$`, "$", "\\`", "`", `\"`, `"`, `\\`, `\`, "\\\n", "").Replace(s)
}
