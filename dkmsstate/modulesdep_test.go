package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInstalledIn(t *testing.T) {
	text := "updates/dkms/first.ko: kernel/a.ko\nkernel/updates/dkms/no.ko:\nupdates/dkms/b.ko.xz:\nupdates/dkms/cut"
	assert.Equal(t, []string{"first.ko", "b.ko.xz"}, installedIn([]byte(text), "\n"))
	assert.Equal(t, []string{"first.ko", "no.ko", "b.ko.xz"}, installedIn([]byte(text), ""), "an index has no lines")
	assert.Empty(t, installedIn(nil, "\n"))
	assert.Empty(t, installedIn([]byte("updates/dkms/"), "\n"))
}
