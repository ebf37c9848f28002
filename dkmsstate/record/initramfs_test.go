package record

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

func TestInitramfsIsKept(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	const kernel = "6.1"
	path, image := l.InitramfsPath(kernel), filepath.Join(filepath.Dir(l.InitramfsPath(kernel)), "vmlinuz-6.1")
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	read := func(name string) string {
		data, _ := os.ReadFile(name)
		return string(data)
	}
	assert.Error(t, KeepInitramfs(l, kernel), "there is none")
	assert.False(t, l.KeptInitramfs(kernel))
	require.NoError(t, DropInitramfs(l, kernel))

	write(image, "image")
	write(path, "before")
	require.NoError(t, KeepInitramfs(l, kernel))
	assert.True(t, l.KeptInitramfs(kernel))
	info, err := os.Stat(l.KeptInitramfsPath(kernel))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it may contain secrets")
	write(path, "after")
	require.NoError(t, PutBackInitramfs(l, kernel))
	assert.Equal(t, "before", read(path))
	require.NoError(t, os.Remove(path))
	require.NoError(t, PutBackInitramfs(l, kernel))
	assert.Equal(t, "before", read(path))

	write(filepath.Join(filepath.Dir(path), ".initrd.img-6.1.dkms-hooks"), "torn")
	require.NoError(t, DropInitramfs(l, kernel))
	for dir, want := range map[string]int{filepath.Dir(path): 2, filepath.Dir(l.KeptInitramfsPath(kernel)): 0} {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, entries, want, dir)
	}
	assert.ErrorContains(t, PutBackInitramfs(l, kernel), "(manually: cp ")
	assert.Equal(t, "before", read(path))
}

// An initramfs from before the kernel was unpacked may be for another ABI.
func TestKeptInitramfsOfEarlierKernel(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	const kernel = "6.1"
	require.NoError(t, os.MkdirAll(filepath.Dir(l.InitramfsPath(kernel)), 0o755))
	require.NoError(t, os.WriteFile(l.InitramfsPath(kernel), []byte("before"), 0o644))
	require.NoError(t, KeepInitramfs(l, kernel))
	require.True(t, l.KeptInitramfs(kernel))
	image := filepath.Join(filepath.Dir(l.InitramfsPath(kernel)), "vmlinuz-6.1")
	for l.KeptInitramfs(kernel) { // until the clock of the filesystem has moved on
		require.NoError(t, os.WriteFile(image, []byte("image"), 0o644))
	}
}

func TestHeldNames(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	assert.Empty(t, l.HeldNames("6.1"))
	require.NoError(t, ListHeld(l, "6.1", nil))
	assert.NoFileExists(t, filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.HeldDir, "6.1"))
	require.NoError(t, ListHeld(l, "6.1", []string{"loop", "e1000"}))
	require.NoError(t, ListHeld(l, "6.1", []string{"loop", "disk"}))
	assert.Equal(t, []string{"disk", "e1000", "loop"}, l.HeldNames("6.1"))
	assert.Empty(t, l.HeldNames("6.2"))
	require.NoError(t, DropHeld(l, "6.1"))
	assert.Empty(t, l.HeldNames("6.1"))
	require.NoError(t, DropHeld(l, "6.1"))
}
