package record

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

func TestHistory(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	events, err := ReadHistory(l)
	require.NoError(t, err)
	assert.Empty(t, events)
	when := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	want := []Event{
		{When: when, Kernel: "6.1.0", Did: "keep", Text: "it\nis", Hook: "prerm", Script: "prerm", Package: "p", Action: "upgrade 2"},
		{When: when, Kernel: "6.1.0", Module: "m/1.0", Did: "removed", Hook: "prerm", User: "root"},
	}
	for _, e := range want {
		require.NoError(t, AppendHistory(l, e))
	}
	path := historyPath(l)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"when":"2026-11-29T08:` + "\n\x00\n{}\n[]\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	events, err = ReadHistory(l)
	require.NoError(t, err)
	assert.Equal(t, want, events)
}

func TestHistoryIsBounded(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	e := Event{Kernel: "6.1.0", Did: "keep", Text: strings.Repeat("x", 10_000)}
	for range 100 {
		require.NoError(t, AppendHistory(l, e))
	}
	var size int64
	entries, err := os.ReadDir(filepath.Dir(historyPath(l)))
	require.NoError(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	assert.Less(t, size, int64(2*historySize+20_000))
	events, err := ReadHistory(l)
	require.NoError(t, err)
	assert.Greater(t, len(events), 26)
}

func TestHistoryOfSeveralAtOnce(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 50 {
				assert.NoError(t, AppendHistory(l, Event{Did: "keep", Text: strings.Repeat("y", 300)}))
			}
		}()
	}
	all.Wait()
	events, err := ReadHistory(l)
	require.NoError(t, err)
	assert.Len(t, events, 400)
}

// Several that find the file full at once lose nothing.
func TestHistoryIsRotatedOnce(t *testing.T) {
	const writers, kept = 32, 30
	for range 30 {
		l := dkmsstate.DefaultLayout(t.TempDir())
		for range kept {
			require.NoError(t, AppendHistory(l, Event{Did: "keep", Text: strings.Repeat("x", historySize/(kept-1))}))
		}
		start := make(chan struct{})
		var all sync.WaitGroup
		for range writers {
			all.Add(1)
			go func() {
				defer all.Done()
				<-start
				assert.NoError(t, AppendHistory(l, Event{Did: "keep"}))
			}()
		}
		close(start)
		all.Wait()
		events, err := ReadHistory(l)
		require.NoError(t, err)
		require.Len(t, events, kept+writers)
	}
}

// A run that finds the file full while another one renames it does not rename it, and writes.
func TestHistoryIsRotatedByTheHolderOfTheLock(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	require.NoError(t, AppendHistory(l, Event{Did: "keep", Text: strings.Repeat("x", historySize)}))
	lock, err := os.Create(filepath.Join(filepath.Dir(historyPath(l)), historyLock))
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	require.NoError(t, AppendHistory(l, Event{Did: "second"}))
	assert.NoFileExists(t, historyPath(l)+".old")
	require.NoError(t, lock.Close())
	require.NoError(t, AppendHistory(l, Event{Did: "third"}))
	assert.FileExists(t, historyPath(l)+".old")
	events, err := ReadHistory(l)
	require.NoError(t, err)
	assert.Len(t, events, 3)
}

func TestHistoryInTheWayIsMovedOrRefused(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	path := historyPath(l)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	outside := filepath.Join(l.Root, "outside")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o644))
	require.NoError(t, os.Symlink(outside, path))
	require.NoError(t, AppendHistory(l, Event{Did: "keep"}))
	data, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "x", string(data))
	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, unix.Mkfifo(path, 0o644))
	require.NoError(t, AppendHistory(l, Event{Did: "keep"}))
}
