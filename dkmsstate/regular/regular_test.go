package regular

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What is in the place of a file is opened only if it is a file, and nothing is waited for.
func TestOpen(t *testing.T) {
	opens := map[string]func(string) (*os.File, error){"Open": Open, "OpenNoFollow": OpenNoFollow, "Create": Create}
	for _, c := range []struct {
		name string
		make func(path string) error
		// by are the functions that open it.
		by []string
	}{
		{"a file", func(path string) error { return os.WriteFile(path, []byte("old"), 0o644) }, []string{"Open", "OpenNoFollow", "Create"}},
		{"nothing", func(string) error { return nil }, []string{"Create"}},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }, nil},
		{"a pipe", func(path string) error { return unix.Mkfifo(path, 0o644) }, nil},
		{"a socket", func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o644, 0) }, nil},
		{"a link", func(path string) error {
			return os.Symlink(filepath.Join(filepath.Dir(filepath.Dir(path)), "victim"), path)
		}, []string{"Open"}},
		{"a loop", func(path string) error { return os.Symlink(filepath.Base(path), path) }, nil},
	} {
		for name, open := range opens {
			t.Run(name+" "+c.name, func(t *testing.T) {
				top := t.TempDir()
				victim, path := filepath.Join(top, "victim"), filepath.Join(top, "dir", "file")
				require.NoError(t, os.WriteFile(victim, []byte("old"), 0o644))
				require.NoError(t, os.Mkdir(filepath.Dir(path), 0o755))
				require.NoError(t, c.make(path))
				file, err := open(path)
				data, _ := os.ReadFile(victim)
				assert.Equal(t, "old", string(data))
				if err == nil {
					file.Close()
					assert.Contains(t, c.by, name)
					return
				}
				assert.NotContains(t, c.by, name)
				if name == "OpenNoFollow" && c.name != "nothing" {
					assert.ErrorIs(t, err, ErrNotRegular)
				}
			})
		}
	}
}

// Create empties the file that is there.
func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("older"), 0o644))
	file, err := Create(path)
	require.NoError(t, err)
	_, err = file.WriteString("new")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	data, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(data))
}
