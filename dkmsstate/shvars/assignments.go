// Package shvars finds the variables that a shell file such as dkms.conf sets. It parses the
// file and never runs any of it.
package shvars

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Assignments are the variables that a shell file such as dkms.conf sets, as far as they can be
// known without running any of it.
type Assignments struct {
	// elements holds the literally assigned values by name and index. A plain variable is the
	// element 0 of its name, as in bash.
	elements map[string]map[int]string
	// unknown holds the names whose element 0 has a value that only a shell can find. others
	// holds the names of which another element has such a value.
	unknown, others map[string]bool
	// text is all text that was read.
	text string
	// opaque reports whether the file does something that may set any variable or end the
	// reading, or cannot be parsed. Nothing that it sets is known then.
	opaque bool
}

// Opaque returns the assignments of a file that was not read: any name may have any value.
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

// parseShell parses a file like bash, which takes all non-ASCII bytes, and a carriage return,
// for parts of a word. dkms removes a carriage return from the end of a value.
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

// firstRune is the first of the characters that stand for bytes that the parser would misread.
// They are in the private use area of Unicode, which the parser does not treat specially.
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

// Value returns the value of $NAME in dkms, and reports whether it is known.
func (as Assignments) Value(name string) (string, bool) {
	if as.opaque || as.unknown[name] {
		return "", false
	}
	value := as.Literal(name)
	return value, !readAgain(value)
}

// Literal returns the value that the file assigns literally to a name, even if other statements
// may change it.
func (as Assignments) Literal(name string) string { return withoutCR(as.elements[name][0]) }

// Opaque reports whether the file does something that may set any variable.
func (as Assignments) Opaque() bool { return as.opaque }

// Followed reports whether the value of $NAME is known, leaving aside whether the file is
// opaque.
func (as Assignments) Followed(name string) bool {
	return !as.unknown[name] && !readAgain(as.Literal(name))
}

// Elements returns the values of an array in the order of the indices, and reports whether they
// are known.
func (as Assignments) Elements(name string) ([]string, bool) {
	array, known := as.Array(name)
	if !known {
		return nil, false
	}
	var values []string
	for _, i := range slices.Sorted(maps.Keys(array)) {
		values = append(values, array[i])
	}
	return values, true
}

// ForKernel returns the value of $NAME in dkms as it applies to one kernel, and reports whether
// it is known.
func (as Assignments) ForKernel(name, kernel string) (string, bool) {
	value := regexp.MustCompile(`\$(\{kernelver\}|kernelver\b)`).ReplaceAllLiteralString(as.Literal(name), kernel)
	return value, !as.opaque && !as.unknown[name] && !readAgain(value)
}

// Array returns the values of an array by index, and reports whether they are known.
func (as Assignments) Array(name string) (map[int]string, bool) {
	values := map[int]string{}
	if as.opaque || as.unknown[name] || as.others[name] {
		return values, false
	}
	for i, value := range as.elements[name] {
		values[i] = withoutCR(value)
		if readAgain(values[i]) {
			return values, false
		}
	}
	return values, true
}

// Assigned reports whether the file assigns a value to a name, even an empty one.
func (as Assignments) Assigned(name string) bool { return len(as.elements[name]) > 0 }

// MayBeSet reports whether $NAME may be other than empty.
func (as Assignments) MayBeSet(name string) bool {
	value, known := as.Value(name)
	return !known || value != ""
}

// Mentions reports whether a name occurs anywhere in the file.
func (as Assignments) Mentions(name string) bool { return strings.Contains(as.text, name) }

// withoutCR removes a carriage return from the end of a value, like dkms (safe_source).
func withoutCR(value string) string { return strings.TrimSuffix(value, "\r") }

// readAgain reports whether a value changes when a shell reads it once more. dkms writes the
// values between double quotes into another file and sources that (safe_source). Between these,
// a backslash is special only before a few characters (bash(1), QUOTING), and a dollar sign is
// itself at the end and before some. Regular expressions have both.
func readAgain(value string) bool {
	value += `"` // which follows it there
	for i := range len(value) - 1 {
		switch next := value[i+1]; value[i] {
		case '"', '`':
			return true
		case '\\':
			if strings.IndexByte("$`\"\\\n", next) >= 0 {
				return true
			}
		case '$':
			if strings.IndexByte("\"|)", next) < 0 {
				return true
			}
		}
	}
	return false
}

// set assigns a literal value to an element.
func (as *Assignments) set(name string, index int, value string) {
	if as.elements[name] == nil {
		as.elements[name] = map[int]string{}
	}
	as.elements[name][index] = value
	if index == 0 {
		delete(as.unknown, name)
	}
}

// forget records that any element of a name may have any value.
func (as *Assignments) forget(name string) {
	as.unknown[name], as.others[name] = true, true
}
