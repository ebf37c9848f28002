package debpkg

import (
	"fmt"
	"slices"
	"strings"
)

// Field is a field of a paragraph in the format of deb822(5).
type Field struct {
	// Name is spelled as in the text. Names are not case-sensitive.
	Name string
	// Value has no blanks at its ends. A continuation line is a line of it, without the blanks
	// at its ends, and empty if it is a single dot.
	Value string
	// Line is the number of the first line of the field.
	Line int
}

// ParagraphError is why a text is not a single paragraph.
type ParagraphError struct {
	Line int
	Err  error
}

// Error returns the line and what is wrong with it.
func (e *ParagraphError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *ParagraphError) Unwrap() error { return e.Err }

// ParseParagraph returns the fields of a text that is one paragraph, in their order. Lines
// that begin with # are comments. A carriage return at the end of a line is ignored.
// The error is a *ParagraphError, the first of ParseFields.
func ParseParagraph(text []byte) ([]Field, error) {
	fields, wrong := ParseFields(text)
	if len(wrong) > 0 {
		return nil, wrong[0]
	}
	return fields, nil
}

// ParseFields returns every field of a text that can be used, and what is wrong with the other
// lines, in their order. A field that is given twice has its first value. Blank lines between
// fields are reported once, and end nothing. A continuation of a line that is no field is
// dropped with it.
func ParseFields(text []byte) ([]Field, []*ParagraphError) {
	var p paragraph
	for i, line := range strings.Split(string(text), "\n") {
		p.number = i + 1
		p.line(line)
	}
	for i := range p.fields {
		p.fields[i].Value = strings.TrimSpace(p.fields[i].Value)
	}
	return p.fields, p.wrong
}

// paragraph is a paragraph that is being parsed.
type paragraph struct {
	fields []Field
	wrong  []*ParagraphError
	// number is the number of the current line.
	number int
	// ended reports whether a blank line followed a field, dropped whether the last line that
	// was no continuation is not used.
	ended, dropped bool
}

func (p *paragraph) errorf(format string, args ...any) {
	p.wrong = append(p.wrong, &ParagraphError{p.number, fmt.Errorf(format, args...)})
}

func (p *paragraph) line(line string) {
	switch {
	case strings.HasPrefix(line, "#"):
		return
	case strings.TrimSpace(line) == "":
		p.ended = len(p.fields) > 0
		p.dropped = p.dropped || p.ended
		return
	case p.ended:
		p.errorf("a second paragraph begins after a blank line, and only one is allowed")
		p.ended = false
	}
	if line[0] == ' ' || line[0] == '\t' {
		p.continuation(strings.TrimSpace(line))
		return
	}
	name, value, colon := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	p.dropped = true
	switch {
	case !colon || name == "" || strings.ContainsFunc(name, notPrintable):
		p.errorf("not a field") // it may contain a passphrase
	case slices.ContainsFunc(p.fields, func(f Field) bool { return strings.EqualFold(f.Name, name) }):
		p.errorf("%s is given twice", name)
	default:
		p.dropped = false
		p.fields = append(p.fields, Field{name, strings.TrimSpace(value), p.number})
	}
}

// continuation adds a line to the last field.
func (p *paragraph) continuation(text string) {
	switch {
	case p.dropped:
		return
	case len(p.fields) == 0:
		p.errorf("a continuation line without a field")
		return
	case text == ".": // an empty line
		text = ""
	}
	p.fields[len(p.fields)-1].Value += "\n" + text
}

// notPrintable reports whether a character must not be in the name of a field. By deb822(5)
// non-ASCII characters must not either, but dpkg accepts them.
func notPrintable(r rune) bool { return r <= ' ' || r == 0x7f }
