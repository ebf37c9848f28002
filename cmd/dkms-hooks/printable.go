package main

import "io"

// printable is a writer to a terminal for text of others, such as logs: it replaces control
// characters, which a terminal would obey, by question marks.
type printable struct {
	out io.Writer
	// c2 reports whether the last byte was the first of a control character U+0080 to U+009F.
	c2 bool
}

// Write writes all of p, with as many bytes in the place of what it replaces.
func (w *printable) Write(p []byte) (int, error) {
	const lead, lastC1, del = 0xc2, 0x9f, 0x7f
	text := make([]byte, len(p))
	for i, c := range p {
		second := w.c2 && c >= 0x80 && c <= lastC1
		w.c2 = c == lead
		text[i] = c
		if c < ' ' && c != '\n' && c != '\t' || c == del || second {
			text[i] = '?'
		}
	}
	return w.out.Write(text)
}

// forOthersText returns where to print text of others: as it is, unless a terminal reads it.
func (p program) forOthersText() io.Writer {
	if !isTerminal(p.stdout) {
		return p.stdout
	}
	return &printable{out: p.stdout}
}
