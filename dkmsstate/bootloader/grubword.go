package bootloader

import (
	"fmt"
	"strings"
)

// grubPart is a piece of a word: text, or the name of a variable.
type grubPart struct {
	text     string
	variable bool
	quoted   bool
}

// grubWord is a word of a script of GRUB (GRUB manual, shell-like scripting).
type grubWord []grubPart

// literal returns the text of a word that is neither quoted nor has variables, else "".
func (w grubWord) literal() string {
	if len(w) == 1 && !w[0].variable && !w[0].quoted {
		return w[0].text
	}
	return ""
}

// grubToken is a word, or one of the marks "\n" (also for ";"), "{" and "}". The mark "" ends a
// script.
type grubToken struct {
	word grubWord
	mark string
}

// grubLexer splits a script into tokens.
type grubLexer struct {
	text string
	line int
}

// tokens returns the tokens of a script.
func grubTokens(text string) ([]grubToken, error) {
	l := &grubLexer{text: strings.ReplaceAll(text, "\\\n", ""), line: 1}
	var tokens []grubToken
	for {
		token, err := l.next()
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", l.line, err)
		}
		tokens = append(tokens, token)
		if token.mark == "" && token.word == nil {
			return tokens, nil
		}
	}
}

// next returns the next token.
func (l *grubLexer) next() (grubToken, error) {
	l.text = strings.TrimLeft(l.text, " \t\r")
	if strings.HasPrefix(l.text, "#") {
		_, after, found := strings.Cut(l.text, "\n")
		if l.text = ""; found {
			l.text = "\n" + after
		}
	}
	if l.text == "" {
		return grubToken{}, nil
	}
	switch c := l.text[:1]; c {
	case "\n", ";":
		l.line += strings.Count(c, "\n")
		l.text = l.text[1:]
		return grubToken{mark: "\n"}, nil
	case "{", "}":
		l.text = l.text[1:]
		return grubToken{mark: c}, nil
	}
	word, err := l.word()
	return grubToken{word: word}, err
}

// word returns the word at which the text begins.
func (l *grubLexer) word() (grubWord, error) {
	word := grubWord{}
	for l.text != "" {
		switch c := l.text[0]; c {
		case ' ', '\t', '\r', '\n', ';', '{', '}':
			return word, nil
		case '|', '&', '<', '>':
			return nil, fmt.Errorf("unexpected %q", c)
		case '\'':
			text, after, found := strings.Cut(l.text[1:], "'")
			if !found {
				return nil, fmt.Errorf("unterminated %q", c)
			}
			l.line += strings.Count(text, "\n")
			word, l.text = append(word, grubPart{text: text, quoted: true}), after
		case '"':
			parts, err := l.doubleQuoted()
			if err != nil {
				return nil, err
			}
			word = append(word, parts...)
		case '$':
			word = append(word, l.variable(false))
		case '\\':
			n := min(2, len(l.text))
			word, l.text = append(word, grubPart{text: l.text[1:n], quoted: true}), l.text[n:]
		default:
			n := strings.IndexAny(l.text, " \t\r\n;{}|&<>'\"$\\")
			if n < 0 {
				n = len(l.text)
			}
			word, l.text = append(word, grubPart{text: l.text[:n]}), l.text[n:]
		}
	}
	return word, nil
}

// doubleQuoted returns what stands between double quotes. The first part is always text, so that
// "" is a word as well.
func (l *grubLexer) doubleQuoted() (grubWord, error) {
	parts := grubWord{{quoted: true}}
	var text strings.Builder
	flush := func() {
		parts = append(parts, grubPart{text: text.String(), quoted: true})
		text.Reset()
	}
	l.text = l.text[1:]
	for l.text != "" {
		switch c := l.text[0]; {
		case c == '"':
			l.text = l.text[1:]
			flush()
			return parts, nil
		case c == '$':
			flush()
			parts = append(parts, l.variable(true))
			continue
		case c == '\\' && len(l.text) > 1 && strings.IndexByte(`$"\`, l.text[1]) >= 0:
			text.WriteByte(l.text[1])
			l.text = l.text[2:]
			continue
		case c == '\n':
			l.line++
		}
		text.WriteByte(l.text[0])
		l.text = l.text[1:]
	}
	return nil, fmt.Errorf("unterminated %q", '"')
}

// variable returns the variable at which the text begins, or the "$" if none follows it.
func (l *grubLexer) variable(quoted bool) grubPart {
	after := l.text[1:]
	if name, rest, ok := strings.Cut(after, "}"); ok && strings.HasPrefix(after, "{") {
		l.text = rest
		return grubPart{text: name[1:], variable: true, quoted: quoted}
	}
	n := 0
	for n < len(after) && (after[n] == '_' || isAlnum(after[n])) {
		n++
	}
	if n == 0 && after != "" && strings.IndexByte("?*@#", after[0]) >= 0 {
		n = 1
	}
	l.text = after[n:]
	if n == 0 {
		return grubPart{text: "$", quoted: true}
	}
	return grubPart{text: after[:n], variable: true, quoted: quoted}
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
