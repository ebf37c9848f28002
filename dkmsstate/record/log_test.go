package record

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

func TestLogEndsAtItsLimit(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	log := NewLog(l, dkmsstate.Module{Name: "m", Version: "1"}, "6.1", io.Discard)
	assert.Empty(t, NewLog(l, dkmsstate.Module{Name: "m", Version: "2"}, "6.1", io.Discard).Close(), "none without a word")
	log.left = 10
	for range 3 {
		n, err := log.Write([]byte("12345678"))
		assert.Equal(t, 8, n)
		assert.NoError(t, err)
	}
	path := log.Close()
	data, err := regular.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(data), "1234567812\n… the log is truncated here at its size limit\n")
	require.NoError(t, RemoveLogs(l, "6.1"))
	assert.NoFileExists(t, path)
	require.NoError(t, RemoveLogs(l, "6.1"))
}

// A pipe in the place of a file of the hooks or of dkms is no reason to wait.
func TestPipesInTheWay(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	m := dkmsstate.Module{Name: "m", Version: "1"}
	pipe := func(path string) string {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, unix.Mkfifo(path, 0o644))
		return path
	}
	log := NewLog(l, m, "6.1", io.Discard)
	_, err := log.Write([]byte("text"))
	require.NoError(t, err)
	log.Add(pipe(filepath.Join(l.Root, "make.log")))
	data, err := regular.ReadFile(log.Close())
	require.NoError(t, err)
	assert.Contains(t, string(data), "\ntext")

	log = NewLog(l, m, "6.2", io.Discard)
	pipe(logPath(l, m, "6.2"))
	_, err = log.Write([]byte("text"))
	require.NoError(t, err)
	assert.ErrorIs(t, log.Err, regular.ErrNotRegular)
	assert.Empty(t, log.Close())

	for _, name := range []string{mainLock, requestFile, filepath.Join(dkmsstate.UnfinishedDir, "6.1")} {
		pipe(filepath.Join(l.Path(dkmsstate.StateDir), name))
	}
	assert.Error(t, NoteUnfinished(l, "6.1", dkmsstate.Interrupted, false))
	assert.Error(t, RequestReconcile(l))
	_, err = AtWork(l)
	assert.ErrorIs(t, err, regular.ErrNotRegular)
}
