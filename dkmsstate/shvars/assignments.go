// Package shvars finds what a shell file such as dkms.conf sets, by parsing it and never by
// running any of it.
package shvars

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Assignments are the variables that a shell file such as dkms.conf sets, as far as
// they can be known without running any of it.
type Assignments struct {
	// elements holds what is assigned literally, by name and index; a plain
	// variable is the element 0 of its name, as in bash.
	elements map[string]map[int]string
	// unknown holds the names whose element 0, and others the names of which another
	// element, has a value that only a shell could find.
	unknown, others map[string]bool
	// text is everything that was read.
	text string
	// opaque: the file does something that may set anything or end its reading, or
	// it cannot be parsed. Then nothing that it sets is known.
	opaque bool
}

// Opaque returns the assignments of a file that is not read: any name may have any value.
func Opaque() Assignments { return Assignments{opaque: true} }

// then returns the assignments after a further file was read in the same shell.
func (as Assignments) then(data []byte, name string) (Assignments, error) {
	out := as.clone()
	out.text += string(data)
	file, err := parseShell(data, name)
	if err != nil {
		out.opaque = true
		return out, err
	}
	s := statements{out: &out, functions: functionsOf(file)}
	for _, stmt := range file.Stmts {
		s.topLevel(stmt)
	}
	return out, nil
}

// parseShell parses a file as bash does, which takes all bytes beyond ASCII, and a
// carriage return, for parts of a word; dkms takes the latter off its values again.
func parseShell(data []byte, name string) (file *syntax.File, err error) {
	defer func() { // the parser panics on "`$\\\\" (mvdan.cc/sh 3.8.0)
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot parse as shell: %v", r)
		}
	}()
	if slices.Contains(data, 0) {
		return nil, fmt.Errorf("cannot parse as shell: it contains NUL bytes")
	}
	file, err = syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(bytesToRunes(data)), name)
	if err != nil {
		return nil, fmt.Errorf("cannot parse as shell: %w", err)
	}
	return file, nil
}

// firstRune is where the bytes that the parser would take for something else are put:
// in the private use area of Unicode, which means nothing to it.
const firstRune = 0xE000

func bytesToRunes(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		if c >= 0x80 || c == '\r' {
			b.WriteRune(firstRune + rune(c))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func runesToBytes(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= firstRune && r <= firstRune+0xFF {
			b.WriteByte(byte(r - firstRune))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (as Assignments) clone() Assignments {
	out := Assignments{elements: map[string]map[int]string{}, unknown: map[string]bool{}, others: map[string]bool{}, text: as.text, opaque: as.opaque}
	for name, elements := range as.elements {
		out.elements[name] = maps.Clone(elements)
	}
	maps.Copy(out.unknown, as.unknown)
	maps.Copy(out.others, as.others)
	return out
}

// Value returns what $NAME is in dkms, and reports whether that is known.
func (as Assignments) Value(name string) (string, bool) {
	if as.opaque || as.unknown[name] {
		return "", false
	}
	value := as.Literal(name)
	return value, !readAgain(value)
}

// Literal returns the value that the file assigns to a name literally, whatever else
// becomes of that name.
func (as Assignments) Literal(name string) string { return withoutCR(as.elements[name][0]) }

// Opaque reports whether the file does something that may set anything.
func (as Assignments) Opaque() bool { return as.opaque }

// Followed reports whether what a file that is not opaque makes of $NAME is known.
func (as Assignments) Followed(name string) bool {
	return !as.unknown[name] && !readAgain(as.Literal(name))
}

// Elements returns the values of an array in the order of its indices, and reports
// whether they are known.
func (as Assignments) Elements(name string) ([]string, bool) {
	if as.opaque || as.unknown[name] || as.others[name] {
		return nil, false
	}
	var values []string
	for _, i := range slices.Sorted(maps.Keys(as.elements[name])) {
		value := withoutCR(as.elements[name][i])
		if readAgain(value) {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// MayBeSet reports whether $NAME may be anything but empty.
func (as Assignments) MayBeSet(name string) bool {
	value, known := as.Value(name)
	return !known || value != ""
}

// Mentions reports whether a name stands anywhere in the file.
func (as Assignments) Mentions(name string) bool { return strings.Contains(as.text, name) }

// withoutCR takes a carriage return off the end of a value, as dkms does
// (safe_source).
func withoutCR(value string) string { return strings.TrimSuffix(value, "\r") }

// readAgain reports whether a value changes when it is read as shell once more: dkms
// writes what a file has set between double quotes into another, and sources that
// (safe_source).
func readAgain(value string) bool { return strings.ContainsAny(value, "$`\"\\") }

// set assigns an element literally.
func (as *Assignments) set(name string, index int, value string) {
	if as.elements[name] == nil {
		as.elements[name] = map[int]string{}
	}
	as.elements[name][index] = value
	if index == 0 {
		delete(as.unknown, name)
	}
}

// forget notes that any element of a name may have any value.
func (as *Assignments) forget(name string) {
	as.unknown[name], as.others[name] = true, true
}
