package debpkg

import (
	"fmt"
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
// The error is a *ParagraphError.
func ParseParagraph(text []byte) ([]Field, error) {
	var fields []Field
	first := map[string]int{}
	ended := 0
	for i, line := range strings.Split(string(text), "\n") {
		number := i + 1
		wrong := func(format string, args ...any) error {
			return &ParagraphError{number, fmt.Errorf(format, args...)}
		}
		name, value, colon := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			if len(fields) > 0 && ended == 0 {
				ended = number
			}
		case ended > 0:
			return nil, wrong("there is a second paragraph, and only one is allowed")
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) == 0 {
				return nil, wrong("a continuation line without a field")
			}
			text := strings.TrimSpace(line)
			if text == "." { // an empty line
				text = ""
			}
			last := &fields[len(fields)-1]
			last.Value += "\n" + text
		case !colon || name == "" || strings.ContainsFunc(name, notPrintable):
			return nil, wrong("not a field: %q", line)
		case first[strings.ToLower(name)] > 0:
			return nil, wrong("%s is given twice", name)
		default:
			first[strings.ToLower(name)] = number
			fields = append(fields, Field{name, strings.TrimSpace(value), number})
		}
	}
	for i := range fields {
		fields[i].Value = strings.TrimSpace(fields[i].Value)
	}
	return fields, nil
}

// notPrintable reports whether a character must not be in the name of a field. By deb822(5)
// non-ASCII characters must not either, but dpkg accepts them.
func notPrintable(r rune) bool { return r <= ' ' || r == 0x7f }
