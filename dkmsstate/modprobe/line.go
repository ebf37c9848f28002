package modprobe

import (
	"bytes"
	"fmt"
	"strings"
)

// Line is a command in a configuration file of depmod(8) or modprobe(8).
type Line struct {
	// File is the path of the file as seen from inside the root. Number is that of the line in
	// which the command begins.
	File   string
	Number int
	// Words are the words of the command.
	Words []string
}

// Known reports whether there is a line.
func (l Line) Known() bool { return l.File != "" }

// Local reports whether the line is in a directory for the administrator of the machine, and not
// in one for packages.
func (l Line) Local() bool {
	return l.Known() && !strings.HasPrefix(l.File, "/usr/lib/") && !strings.HasPrefix(l.File, "/lib/")
}

// Nothing reports whether the command that the line gives in the place of a module does nothing.
func (l Line) Nothing() bool {
	if len(l.Words) != 3 { // others are shell code
		return false
	}
	switch l.Words[2] {
	case "/bin/false", "/usr/bin/false", "false", "/bin/true", "/usr/bin/true", "true", ":":
		return true
	}
	return false
}

// String returns the command and where it is.
func (l Line) String() string {
	const long = 80
	text := []rune(strings.Join(l.Words, " "))
	if len(text) > long {
		text = append(text[:long-1], '…')
	}
	return fmt.Sprintf("%q in %s line %d", string(text), l.File, l.Number)
}

// parse returns the commands in a file. A backslash at the end of a line joins it with the next
// one, and a # at its beginning makes it a comment (kmod, freadline_wrapped).
func parse(file string, text []byte) []Line {
	var lines []Line
	var joined []byte
	number, begin := 1, 1
	end := func() {
		if words := words(joined); len(words) > 0 {
			lines = append(lines, Line{File: file, Number: begin, Words: words})
		}
		joined, begin = nil, number
	}
	for i := 0; i < len(text); i++ {
		switch escaped := text[i] == '\\' && i+1 < len(text); {
		case escaped && text[i+1] == '\n':
			number++
			i++
		case escaped:
			i++
			joined = append(joined, text[i])
		case text[i] == '\n':
			number++
			end()
		case text[i] != '\\':
			joined = append(joined, text[i])
		}
	}
	end()
	return lines
}

// words returns the words of a line, none for a comment. As in C, a zero byte ends it.
func words(line []byte) []string {
	line, _, _ = bytes.Cut(line, []byte{0})
	if bytes.HasPrefix(line, []byte("#")) {
		return nil
	}
	return strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' })
}
