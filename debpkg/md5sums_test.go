package debpkg

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMD5(t *testing.T) {
	db := open(t, "-- status --\n-- info/p.md5sums --\n00  usr/bin/a\n11  usr/bin/a b\n22 usr/bin/c\n")
	for path, want := range map[string]string{"/usr/bin/a": "00", "/usr/bin/a b": "11", "/usr/bin/c": "", "usr/bin/a": "", "/usr/bin": ""} {
		assert.Equal(t, want, db.MD5("p", path), path)
	}
	assert.Empty(t, db.MD5("none", "/usr/bin/a"))
}
