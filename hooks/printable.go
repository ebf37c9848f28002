package hooks

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Printable is where the programs print for people. Control characters, which a terminal would
// obey, are replaced by question marks there, except for newlines and tabs. So no name, no log and
// no error can contain one. A pipe is no exception: its other end may print to a terminal.
type Printable struct {
	out io.Writer
	// left is how many bytes are still to follow of a character in UTF-8. The next one is at least
	// low and at most high.
	left      int
	low, high byte
}

// ForPeople returns what prints to a writer. That of a Printable is itself.
func ForPeople(out io.Writer) *Printable {
	if w, is := out.(*Printable); is {
		return w
	}
	return &Printable{out: out}
}

// Write writes all of p, with as many bytes in the place of what it replaces.
func (w *Printable) Write(p []byte) (int, error) {
	text := make([]byte, len(p))
	for i, c := range p {
		text[i] = c
		if w.isControl(c) {
			text[i] = '?'
		}
	}
	return w.out.Write(text)
}

// Control writes a control sequence of the program's own, such as a colour.
func (w *Printable) Control(sequence string) { _, _ = io.WriteString(w.out, sequence) }

// isControl reports whether the next byte makes a control character. U+0080 to U+009F are some: as a
// character, in a longer form than UTF-8 allows, or as a byte that belongs to no character.
func (w *Printable) isControl(c byte) bool {
	const del, firstC1, lastC1, firstLead = 0x7f, 0x80, 0x9f, 0xc0
	switch {
	case w.left > 0 && c >= w.low && c <= w.high:
		w.left, w.low, w.high = w.left-1, firstC1, firstLead-1
		return false
	case c >= firstLead:
		w.left, w.low, w.high = following(c)
		return false
	}
	w.left = 0
	return c < ' ' && c != '\n' && c != '\t' || c == del || c >= firstC1 && c <= lastC1
}

// following returns how many bytes follow a first byte of a character in UTF-8, and the bounds of the
// next one (RFC 3629, section 4). After 0xc2, what is below 0xa0 makes U+0080 to U+009F.
func following(lead byte) (n int, low, high byte) {
	switch {
	case lead < 0xc2 || lead > 0xf4: // in no character
		return 0, 0, 0
	case lead == 0xc2:
		return 1, 0xa0, 0xbf
	case lead < 0xe0:
		return 1, 0x80, 0xbf
	case lead == 0xe0:
		return 2, 0xa0, 0xbf
	case lead == 0xed:
		return 2, 0x80, 0x9f
	case lead < 0xf0:
		return 2, 0x80, 0xbf
	case lead == 0xf0:
		return 3, 0x90, 0xbf
	case lead == 0xf4:
		return 3, 0x80, 0x8f
	}
	return 3, 0x80, 0xbf
}

// Sayf prints a message of the programs, in one line.
func Sayf(out io.Writer, format string, args ...any) {
	fmt.Fprintf(ForPeople(out), "dkms-hooks: %s\n", inOneLine(fmt.Sprintf(format, args...)))
}

// WithoutControls replaces control characters, newlines and tabs too. It is for text from elsewhere,
// such as a name, that must not break a line.
func WithoutControls(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// inOneLine joins lines and replaces control characters. It is for text of several lines, such as
// what is wrong with a dkms.conf.
func inOneLine(text string) string { return WithoutControls(strings.ReplaceAll(text, "\n", "; ")) }
