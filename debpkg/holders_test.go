package debpkg

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("status", "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"+
		"Package: b\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n")
	write("info/a.list", "/usr/src/x-1/dkms.conf\n/usr/src/y-1/dkms.conf\n")
	write("info/b.list", "/usr/src/z-1/dkms.conf\n")
	db, err := Open(dir)
	require.NoError(t, err)
	holders, err := db.Holders([]string{"/usr/src/x-1/dkms.conf", "/usr/src/y-1/dkms.conf", "/usr/src/z-1/dkms.conf", "/usr/src/x-1"})
	require.NoError(t, err)
	assert.Len(t, holders, 2, "%v", holders)
	assert.Equal(t, "a", holders["/usr/src/y-1/dkms.conf"].Name)
}
