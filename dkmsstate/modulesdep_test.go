package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInstalledIn(t *testing.T) {
	text := "updates/dkms/first.ko: kernel/a.ko\nkernel/updates/dkms/no.ko:\nupdates/dkms/b.ko.xz:\nupdates/dkms/cut"
	assert.Equal(t, []string{"updates/dkms/first.ko", "updates/dkms/b.ko.xz"}, installedIn([]byte(text), "\n", nil))
	assert.Equal(t, []string{"updates/dkms/first.ko", "updates/dkms/no.ko", "updates/dkms/b.ko.xz"}, installedIn([]byte(text), "", nil), "an index has no lines")
	assert.Empty(t, installedIn(nil, "\n", nil))
	assert.Empty(t, installedIn([]byte("updates/dkms/"), "\n", nil))
	text = "extra/first.ko.gz:\nkernel/net/b.ko: kernel/net/c.ko\nextra/firsts.ko:\n"
	assert.Equal(t, []string{"extra/first.ko.gz", "kernel/net/b.ko"}, installedIn([]byte(text), "\n", []string{"extra/first", "kernel/net/b", "kernel/net/c"}))
}
