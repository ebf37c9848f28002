package record

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/nofollow"
)

// takeAndClose takes a lock and releases it.
func takeAndClose(t *testing.T, take func(context.Context, dkmsstate.Layout, time.Duration, func()) (*Lock, error), l dkmsstate.Layout) {
	t.Helper()
	held, err := take(t.Context(), l, time.Minute, func() {})
	require.NoError(t, err)
	require.NoError(t, held.Close())
}

// What a killed run left is removed under the lock under which it was written, in each directory.
func TestTempsAreRemoved(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	require.NoError(t, Write(l, dkmsstate.Record{}.With("6.1", dkmsstate.KernelRecord{})))
	require.NoError(t, WriteNotice(l, "notice"))
	require.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{"a"}))
	require.NoError(t, ListHeld(l, "6.1", []string{"a"}))
	require.NoError(t, WriteLook(l, "6.1", initramfs.Look{Stamp: "x"}))
	require.NoError(t, os.MkdirAll(filepath.Dir(l.InitramfsPath("6.1")), 0o755))
	require.NoError(t, os.WriteFile(l.InitramfsPath("6.1"), nil, 0o644))
	require.NoError(t, KeepInitramfs(l, "6.1"))
	var temps []string
	require.NoError(t, filepath.WalkDir(l.Path(dkmsstate.StateDir), func(path string, e os.DirEntry, err error) error {
		if e.IsDir() {
			temps = append(temps, filepath.Join(path, nofollow.TempName("6.1")))
		}
		return err
	}))
	require.Len(t, temps, 5)
	leave := func() {
		for _, temp := range temps {
			require.NoError(t, os.WriteFile(temp, nil, 0o600))
		}
	}
	kept := filepath.Join(filepath.Dir(l.KeptInitramfsPath("6.1")), nofollow.TempName("6.1"))
	leave()
	takeAndClose(t, Acquire, l)
	for _, temp := range temps {
		assert.Equal(t, temp == kept, dkmsstate.Exists(temp), temp)
	}
	takeAndClose(t, AcquireInitramfs, l)
	assert.NoFileExists(t, kept)

	leave()
	writing, err := lock(t.Context(), l, writeLock, time.Minute, func() {})
	require.NoError(t, err)
	takeAndClose(t, Acquire, l)
	for _, temp := range temps {
		assert.FileExists(t, temp, "somebody writes it")
	}
	require.NoError(t, writing.Close())
}

// Several programs write what they found in an initramfs at once, and others take the lock.
func TestWritersAtOnce(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	var all sync.WaitGroup
	for i := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 10 {
				assert.NoError(t, WriteLook(l, "6.1", initramfs.Look{Stamp: fmt.Sprint(i)}))
				_, known := ReadLook(l, "6.1")
				assert.True(t, known)
			}
		}()
	}
	for range 10 {
		takeAndClose(t, Acquire, l)
	}
	all.Wait()
}
