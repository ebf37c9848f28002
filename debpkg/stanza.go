package debpkg

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// stanza is one record of the database, with the few fields of it that are needed. They are
// searched for as bytes, since decoding six megabytes takes many times longer than a hook may.
type stanza struct {
	name, arch, multiArch, status, version []byte
	// line is the number of its first line.
	line int
	// simple reports whether the current field is one that has a single line (deb822(5)).
	simple bool
	// bad is why the stanza cannot be used.
	bad error
}

// eachStanza calls visit with every stanza of data. Stanzas are separated by blank lines.
func eachStanza(data []byte, visit func(stanza)) {
	var s stanza
	begin, line := -1, 0
	for pos := 0; pos < len(data); {
		line++
		end, next := len(data), len(data)
		whole := true
		if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
			end, next = pos+i, pos+i+1
		} else {
			whole = false
		}
		text := data[pos:end]
		if len(text) == 0 || text[0] <= ' ' && len(bytes.TrimSpace(text)) == 0 {
			if begin >= 0 {
				s.finish(visit)
			}
			begin, s = -1, stanza{}
		} else {
			if begin < 0 {
				begin, s.line = pos, line
			}
			s.take(text, begin == pos)
			if !whole {
				s.spoil(errors.New("the file ends in the middle of a line"))
			}
		}
		pos = next
	}
	if begin >= 0 {
		s.finish(visit)
	}
}

func (s *stanza) spoil(err error) {
	if s.bad == nil {
		s.bad = err
	}
}

// take parses one line of the stanza.
func (s *stanza) take(text []byte, first bool) {
	if text[0] == ' ' || text[0] == '\t' {
		if first {
			s.spoil(errors.New("it begins with a continuation line"))
		}
		if s.simple {
			s.spoil(fmt.Errorf("a single-line field continues on the next line: %.40q", text))
		}
		return
	}
	colon := bytes.IndexByte(text, ':')
	if colon < 1 || text[0] == '#' || text[0] == '-' || !printable(text[:colon]) {
		s.spoil(fmt.Errorf("it has a line that is not a field: %.40q", text))
		return
	}
	var field *[]byte
	switch text[0] | 0x20 { // field names are not case-sensitive (deb822(5))
	case 'p':
		field = s.pick(text[:colon], "package", &s.name)
	case 'a':
		field = s.pick(text[:colon], "architecture", &s.arch)
	case 'm':
		field = s.pick(text[:colon], "multi-arch", &s.multiArch)
	case 's':
		field = s.pick(text[:colon], "status", &s.status)
	case 'v':
		field = s.pick(text[:colon], "version", &s.version)
	}
	s.simple = field != nil
	if field == nil {
		return
	}
	if *field != nil {
		s.spoil(fmt.Errorf("it has the field %s twice", text[:colon]))
		return
	}
	*field = bytes.TrimSpace(text[colon+1:])
}

// printable reports whether a field's name has no byte at either end that another reader would
// strip as a blank (deb822(5): names are printable ASCII).
func printable(name []byte) bool {
	name = bytes.TrimRight(name, " \t")
	visible := func(c byte) bool { return c > ' ' && c < 0x7f }
	return len(name) > 0 && visible(name[0]) && visible(name[len(name)-1])
}

func (s *stanza) pick(name []byte, want string, field *[]byte) *[]byte {
	name = bytes.TrimRight(name, " \t")
	if len(name) == len(want) && strings.EqualFold(string(name), want) {
		return field
	}
	return nil
}

// keep copies the fields of the stanza, so that they do not keep the whole file in memory.
func (s *stanza) keep() {
	fields := []*[]byte{&s.name, &s.arch, &s.multiArch, &s.status, &s.version}
	size := 0
	for _, field := range fields {
		size += len(*field)
	}
	own := make([]byte, 0, size)
	for _, field := range fields {
		if from := len(own); *field != nil {
			own = append(own, *field...)
			*field = own[from:len(own):len(own)]
		}
	}
}

func (s *stanza) finish(visit func(stanza)) {
	switch {
	case !isName(s.name):
		s.name = nil
		s.spoil(errors.New("it does not name a package"))
	case len(s.arch) > 0 && !isName(s.arch):
		s.arch = nil
		s.spoil(errors.New("its architecture is not a valid word"))
	case len(s.status) == 0:
		s.spoil(errors.New("it has no status"))
	}
	visit(*s)
}

// isName reports whether text can be a package's name or architecture, which also makes it safe
// as a part of a file name (deb-control(5)).
func isName(text []byte) bool {
	for i, c := range text {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '+' || c == '-' || c == '.' || c == '_'):
		default:
			return false
		}
	}
	return len(text) > 0
}
