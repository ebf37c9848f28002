package nofollow

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Only links that nobody but root can have created are followed.
func TestLinksOfOthersAreNotFollowed(t *testing.T) {
	const another = 12345
	none := func(string, string) error { return nil }
	for name, c := range map[string]struct {
		mode os.FileMode
		give func(place, link string) error
		ok   bool
	}{
		"root's":                         {0o755, none, true},
		"of another in root's directory": {0o755, func(_, link string) error { return os.Lchown(link, another, another) }, false},
		"root's in another's directory":  {0o755, func(place, _ string) error { return os.Chown(place, another, another) }, false},
		"a directory of a group":         {0o775, func(place, _ string) error { return os.Chown(place, -1, another) }, false},
		"a directory of root's group":    {0o775, func(place, _ string) error { return os.Chown(place, -1, 0) }, true},
		"a directory for all":            {0o777 | os.ModeSticky, none, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := Root{Path: t.TempDir()}
			path := func(name string) string { return filepath.Join(root.Path, name) }
			require.NoError(t, os.MkdirAll(path("elsewhere/dir"), 0o755))
			require.NoError(t, os.WriteFile(path("elsewhere/dir/file"), nil, 0o644))
			require.NoError(t, os.Mkdir(path("place"), 0o755))
			require.NoError(t, os.Symlink("/elsewhere", path("place/link")))
			require.NoError(t, os.Chmod(path("place"), c.mode))
			if err := c.give(path("place"), path("place/link")); err != nil {
				t.Skip("only root gives files to another: ", err)
			}
			place, err := root.OpenDir("/place")
			require.NoError(t, err)
			defer place.Close()
			d, err := place.Descend("link", "dir")
			if !c.ok {
				assert.ErrorContains(t, err, "cannot follow the symbolic link")
				return
			}
			require.NoError(t, err)
			defer d.Close()
			_, err = d.Lstat("file")
			assert.NoError(t, err)
		})
	}
}

func TestLinksThatLeadNowhere(t *testing.T) {
	root := Root{Path: t.TempDir()}
	path := func(name string) string { return filepath.Join(root.Path, name) }
	require.NoError(t, os.Mkdir(path("place"), 0o755))
	require.NoError(t, os.Symlink("loop", path("place/loop")))
	require.NoError(t, os.Symlink("/gone", path("place/gone")))
	require.NoError(t, os.WriteFile(path("place/file"), nil, 0o644))
	place, err := root.OpenDir("/place")
	require.NoError(t, err)
	defer place.Close()
	_, err = place.Descend("loop")
	assert.ErrorIs(t, err, unix.ELOOP)
	_, err = place.Descend("gone")
	assert.True(t, IsNotExist(err))
	_, err = place.Descend("file")
	assert.ErrorContains(t, err, "not a directory")
	assert.Equal(t, path("gone/x"), root.Inside("/place/gone/x"))
	assert.Equal(t, path("x"), root.Inside("/../../x"))
	root.Inside("/place/loop")
}

func TestRefused(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EOPNOTSUPP, unix.EINVAL, unix.EXDEV, unix.ENOSYS, unix.EMLINK, unix.ENOTTY} {
		assert.True(t, IsRefused(&os.PathError{Err: errno}), errno)
	}
	for _, errno := range []unix.Errno{unix.ENOENT, unix.ENOSPC, unix.EROFS, unix.EIO, unix.EDQUOT, unix.ENOTEMPTY} {
		assert.False(t, IsRefused(&os.PathError{Err: errno}), errno)
	}
	assert.False(t, IsRefused(nil))
}

// Whatever the filesystem refuses, a name stands for the complete old file or the complete new
// one.
func TestWhatIsReplacedIsWhole(t *testing.T) {
	for name, refuses := range map[string][]string{"nothing": nil, "rename": {"rename"}, "link": {"link"}, "both": {"rename", "link"}, "fsync": {"fsync"}} {
		t.Run(name, func(t *testing.T) {
			root := Root{Path: t.TempDir(), Refuse: func(call, _ string) error {
				for _, refused := range refuses {
					if call == refused {
						return unix.EPERM
					}
				}
				return nil
			}}
			d, err := root.OpenDir("/")
			require.NoError(t, err)
			defer d.Close()
			write := func(text string) error {
				return d.WriteFile("file", 0o640, func(to *os.File) error {
					_, err := io.WriteString(to, text)
					return err
				})
			}
			require.NoError(t, write("old"))
			require.NoError(t, write("new"))
			failed := d.WriteFile("file", 0o640, func(to *os.File) error { return errors.New("the disk is full") })
			assert.ErrorContains(t, failed, "the disk is full")
			require.NoError(t, os.MkdirAll(filepath.Join(root.Path, "tree/sub"), 0o755))
			require.NoError(t, d.ReplaceFile("copy", filepath.Join(root.Path, "file")))
			require.NoError(t, os.WriteFile(filepath.Join(root.Path, "tree/sub/file"), []byte("moved"), 0o600))
			require.NoError(t, os.Mkdir(filepath.Join(root.Path, "to"), 0o755))
			require.NoError(t, d.MoveTree("tree", "to", "trash"))
			require.NoError(t, d.ReplaceSymlink("to", "link"))
			require.NoError(t, d.ReplaceSymlink("copy", "link"))
			assert.True(t, d.IsComplete("to"))
			assert.Equal(t, []string{"copy 640 new", "file 640 new", "link -> copy", "to/", "to/sub/", "to/sub/file 600 moved"}, listing(t, root.Path))
		})
	}
}

func listing(t *testing.T, root string) (lines []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		name := strings.TrimPrefix(path, root+"/")
		info, err := entry.Info()
		require.NoError(t, err)
		switch {
		case path == root:
		case entry.IsDir():
			lines = append(lines, name+"/")
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			require.NoError(t, err)
			lines = append(lines, name+" -> "+target)
		default:
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			lines = append(lines, fmt.Sprintf("%s %o %s", name, info.Mode().Perm(), data))
		}
		return nil
	}))
	return lines
}

// An entry is a name, never a path.
func TestEntriesAreNoPaths(t *testing.T) {
	d, err := Root{Path: t.TempDir()}.OpenDir("/")
	require.NoError(t, err)
	defer d.Close()
	_, err = d.Open("../etc", unix.O_RDONLY, 0)
	assert.ErrorIs(t, err, unix.EINVAL)
	assert.ErrorIs(t, d.RemoveAll("a/b"), unix.EINVAL)
}
