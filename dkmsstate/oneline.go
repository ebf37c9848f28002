package dkmsstate

import (
	"strings"
	"unicode"
)

// MaxLog bounds how much of a log is searched for the error in it.
const MaxLog = 4 << 20

// OneLine makes foreign text fit for one line of a report: without control characters, and cut
// at a length that a reader can use.
func OneLine(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " …"
	}
	return s
}
