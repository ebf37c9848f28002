package dkmsstate

import (
	"strings"
)

// MaxLog bounds what is read of a log to find the error in it.
const MaxLog = 4 << 20

// OneLine makes foreign text fit for one line of a report: no control
// characters, and not longer than a reader can use.
func OneLine(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
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
