package bootloader

import (
	"cmp"
	"strings"
)

// compareVersions compares versions as the Boot Loader Specification orders them (UAPI.10,
// version format specification).
func compareVersions(a, b string) int {
	for {
		a, b = strings.TrimLeftFunc(a, notInVersion), strings.TrimLeftFunc(b, notInVersion)
		if c, done := separators(&a, &b); done {
			return c
		}
		isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
		isLetter := func(c byte) bool { return isAlnum(c) && !isDigit(c) }
		var c int
		if a != "" && isDigit(a[0]) || b != "" && isDigit(b[0]) {
			c = compareNumbers(segment(&a, isDigit), segment(&b, isDigit))
		} else {
			c = strings.Compare(segment(&a, isLetter), segment(&b, isLetter))
		}
		if c != 0 {
			return c
		}
	}
}

func notInVersion(c rune) bool {
	return c > 0x7f || !isAlnum(byte(c)) && !strings.ContainsRune("~-^.", c)
}

// separators compares the separators with which versions begin, and removes them. It reports
// whether they or an end decide. What begins with a separator is older.
func separators(a, b *string) (int, bool) {
	for _, mark := range []string{"~", "", "-", "^", "."} {
		if mark == "" {
			if *a == "" || *b == "" {
				return cmp.Compare(len(*a), len(*b)), true
			}
			continue
		}
		restA, hasA := strings.CutPrefix(*a, mark)
		restB, hasB := strings.CutPrefix(*b, mark)
		switch {
		case hasA && !hasB:
			return -1, true
		case hasB && !hasA:
			return 1, true
		}
		*a, *b = restA, restB
	}
	return 0, false
}

// segment removes the leading characters of a kind, and returns them.
func segment(text *string, kind func(byte) bool) string {
	n := 0
	for n < len(*text) && kind((*text)[n]) {
		n++
	}
	head := (*text)[:n]
	*text = (*text)[n:]
	return head
}

// compareNumbers compares numbers of any length. No number is older than any.
func compareNumbers(a, b string) int {
	if c := cmp.Compare(min(len(a), 1), min(len(b), 1)); c != 0 {
		return c
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
