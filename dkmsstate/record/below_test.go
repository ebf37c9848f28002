package record

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// A killed run leaves its mark in the file of a lock that nobody holds, or that another run
// holds that has not written its own mark yet.
func TestBelowAfterAKill(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	file := filepath.Join(l.Root, dkmsstate.StateDir, mainLock)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	stale := dkmsstate.ProcessMark(os.Getppid()) + "STALE"
	require.NoError(t, os.WriteFile(file, []byte(stale), 0o600))
	assert.False(t, Below(l, []string{RunVariable + "=" + stale}), "the lock is free")
	holder := exec.Command("flock", file, "sh", "-c", "echo; cat")
	stdin, err := holder.StdinPipe()
	require.NoError(t, err)
	stdout, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = stdout.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.True(t, Below(l, []string{RunVariable + "=" + stale}), "what the dead run started holds it on")
	require.NoError(t, stdin.Close())
	require.NoError(t, holder.Wait())
	lock, err := Acquire(context.Background(), l, time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	assert.False(t, Below(l, []string{RunVariable + "=" + stale}))
	require.NoError(t, lock.Close())
}
