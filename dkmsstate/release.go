package dkmsstate

import (
	"errors"
	"fmt"
	"strings"
)

// Release is a kernel release (`uname -r`) that was checked by ParseRelease: it is a single
// path component and can be used in a path as it is.
type Release string

// maxRelease is the length of a release in struct new_utsname, without its NUL.
const maxRelease = 64

// ParseRelease checks a kernel release from outside. It accepts a digit followed by letters,
// digits and the characters . + ~ _ -, at most 64 bytes (the kernel's __NEW_UTS_LEN), without
// "..".
func ParseRelease(s string) (Release, error) {
	switch {
	case s == "":
		return "", errors.New("kernel release is empty")
	case len(s) > maxRelease:
		return "", fmt.Errorf("kernel release of %d bytes is longer than the limit of %d", len(s), maxRelease)
	case s[0] < '0' || s[0] > '9':
		return "", fmt.Errorf("kernel release %q does not begin with a digit", s)
	case strings.Contains(s, ".."):
		return "", fmt.Errorf("kernel release %q contains %q", s, "..")
	}
	for i := range len(s) {
		if !releaseByte(s[i]) {
			return "", fmt.Errorf("kernel release %q contains %q", s, s[i])
		}
	}
	return Release(s), nil
}

func releaseByte(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	}
	return strings.IndexByte(".+~_-", c) >= 0
}
