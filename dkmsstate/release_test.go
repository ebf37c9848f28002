package dkmsstate

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseRelease(t *testing.T) {
	for _, good := range []string{"6.1.0-56-amd64", "6.12.117+deb13-amd64", "6.1.21-v8+", "5.15.0~rc1_x", "6"} {
		_, err := ParseRelease(good)
		assert.NoError(t, err, good)
	}
	for _, bad := range []string{"", ".", "..", "../x", "/", "6.1/..", "6..1", "-h", "--help", "v6.1", "6.1 x", "6.1\n", "6.1;x", "6.1$x",
		"6.1\x00", "6.1é", "6" + strings.Repeat("1", 64)} {
		_, err := ParseRelease(bad)
		assert.Error(t, err, bad)
	}
}

// Anything that is accepted is a single path component that no program takes for an option.
func FuzzParseRelease(f *testing.F) {
	for _, seed := range []string{"6.1.0-56-amd64", "..", "6.1/../x", "-k"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRelease(text)
		if err != nil {
			return
		}
		assert.Equal(t, text, string(r))
		assert.Equal(t, filepath.Join("/a", text), "/a/"+text)
		assert.False(t, strings.HasPrefix(text, "-"))
		assert.LessOrEqual(t, len(text), maxRelease)
	})
}
