package dkmsstate

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Assignments are the variables that a shell file sets in so many words.
type Assignments struct {
	// Plain holds the values that stand in the file literally, under NAME, or
	// NAME[INDEX] for an element of an array.
	Plain map[string]string
	// Clever holds the names whose value only a shell could tell: expansions,
	// and whatever stands inside a condition, a loop or a function.
	Clever map[string]bool
	// Sources says that the file reads another one.
	Sources bool
}

// ReadAssignments parses a shell file, such as dkms.conf or framework.conf,
// without running any of it. A file that is not shell is an error.
func ReadAssignments(r io.Reader, name string) (as Assignments, err error) {
	defer func() { // the parser panics on "`$\\\\" (mvdan.cc/sh 3.8.0)
		if r := recover(); r != nil {
			as, err = Assignments{}, fmt.Errorf("cannot parse as shell: %v", r)
		}
	}()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(r, name)
	if err != nil {
		return Assignments{}, fmt.Errorf("cannot parse as shell: %w", err)
	}
	out := Assignments{Plain: map[string]string{}, Clever: map[string]bool{}}
	for _, stmt := range file.Stmts {
		if assigns := topLevel(stmt); assigns != nil {
			for _, a := range assigns {
				out.add(a)
			}
			continue
		}
		out.addClever(stmt)
	}
	return out, nil
}

// topLevel gives the assignments of a statement that does nothing else.
func topLevel(stmt *syntax.Stmt) []*syntax.Assign {
	if stmt.Negated || stmt.Background || len(stmt.Redirs) > 0 {
		return nil
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) == 0 {
			return cmd.Assigns
		}
	case *syntax.DeclClause:
		return cmd.Args
	}
	return nil
}

func (as *Assignments) add(a *syntax.Assign) {
	if a.Name == nil || a.Naked {
		return
	}
	name := a.Name.Value
	if a.Append {
		as.Clever[name] = true
		return
	}
	if a.Array != nil {
		as.addArray(name, a.Array)
		return
	}
	value, ok := literal(a.Value)
	if a.Index != nil {
		index, plain := a.Index.(*syntax.Word)
		text, lit := literal(index)
		ok = ok && plain && lit
		if text != "0" { // bash reads NAME[0] as NAME
			name = name + "[" + text + "]"
		}
	}
	as.set(name, value, ok)
}

func (as *Assignments) addArray(name string, array *syntax.ArrayExpr) {
	for i, elem := range array.Elems {
		value, ok := literal(elem.Value)
		key := name
		if i > 0 {
			key = fmt.Sprintf("%s[%d]", name, i)
		}
		as.set(key, value, ok && elem.Index == nil)
	}
}

func (as *Assignments) set(name, value string, plain bool) {
	if !plain {
		base, _, _ := strings.Cut(name, "[")
		as.Clever[base] = true
		return
	}
	as.Plain[name] = value
}

// addClever notes every name that a statement may set in a way not followed here.
func (as *Assignments) addClever(stmt *syntax.Stmt) {
	syntax.Walk(stmt, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				as.Clever[n.Name.Value] = true
			}
		case *syntax.CallExpr:
			if len(n.Args) > 0 {
				switch n.Args[0].Lit() {
				case ".", "source", "eval":
					as.Sources = true
				}
			}
		}
		return true
	})
}

// literal gives the text of a word that holds no expansion.
func literal(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", true
	}
	var b strings.Builder
	for _, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(unescape(p.Value))
		case *syntax.SglQuoted:
			if p.Dollar {
				return "", false
			}
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok {
					return "", false
				}
				b.WriteString(unescapeQuoted(lit.Value))
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unescape takes the backslashes out of an unquoted literal.
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

// unescapeQuoted does the same between double quotes, where a backslash means
// something only before $ ` " \ and a newline.
func unescapeQuoted(s string) string {
	return strings.NewReplacer(`\$`, "$", "\\`", "`", `\"`, `"`, `\\`, `\`, "\\\n", "").Replace(s)
}

// Elements gives the plain values of an array in the order of its indices.
func (as Assignments) Elements(name string) []string {
	var keys []string
	for key := range as.Plain {
		if key == name || strings.HasPrefix(key, name+"[") {
			keys = append(keys, key)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if len(keys[i]) != len(keys[j]) {
			return len(keys[i]) < len(keys[j])
		}
		return keys[i] < keys[j]
	})
	var values []string
	for _, key := range keys {
		values = append(values, as.Plain[key])
	}
	return values
}
