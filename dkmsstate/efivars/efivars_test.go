package efivars

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/regular"
)

func TestRead(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, Dir)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "Directory-"+Firmware), 0o755))
	for name, data := range map[string]string{
		"SecureBoot": "\x06\x00\x00\x00\x01", "Empty": "\x07\x00\x00\x00", "Truncated": "\x07\x00\x00",
		"Huge": strings.Repeat("x", maxSize+1),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+Firmware), []byte(data), 0o644))
	}
	v := At(root)
	assert.True(t, v.Visible())

	value, attributes, err := v.Read("SecureBoot", Firmware)
	require.NoError(t, err)
	assert.Equal(t, []byte{1}, value)
	assert.Equal(t, uint32(6), attributes)

	value, attributes, err = v.Read("Empty", Firmware)
	require.NoError(t, err)
	assert.Empty(t, value)
	assert.Equal(t, uint32(7), attributes)

	_, _, err = v.Read("SecureBoot", Shim)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, _, err = v.Read("Directory", Firmware)
	assert.ErrorIs(t, err, regular.ErrNotRegular)
	for _, name := range []string{"Truncated", "Huge"} {
		_, _, err = v.Read(name, Firmware)
		assert.Error(t, err, name)
		assert.NotErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// A machine of which nothing is known, and one that does not show its variables, have none.
func TestNotVisible(t *testing.T) {
	for name, v := range map[string]Variables{"zero value": {}, "no UEFI": At(t.TempDir())} {
		assert.False(t, v.Visible(), name)
		_, _, err := v.Read("SecureBoot", Firmware)
		assert.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}
