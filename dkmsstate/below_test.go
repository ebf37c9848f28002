package dkmsstate

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asks is a second program: it prints what Below says in a root.
const asks = "DKMS_HOOKS_TEST_ASKS"

func TestMain(m *testing.M) {
	if root := os.Getenv(asks); root != "" {
		if DefaultLayout(root).Below(os.Environ()) {
			os.Stdout.WriteString("below\n")
		} else {
			os.Stdout.WriteString("not below\n")
		}
		return
	}
	os.Exit(m.Run())
}

// ask runs that program by a shell, as DKMS runs what it runs.
func ask(t *testing.T, lock *Lock, root, script string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var out bytes.Buffer
	engine := DKMS{Timeout: time.Minute, Lock: lock, Environ: Environment(nil, []string{"SELF=" + self, asks + "=" + root})}
	require.NoError(t, engine.run(context.Background(), nil, &out, "sh", "-c", script))
	return strings.TrimSpace(out.String())
}

func TestBelow(t *testing.T) {
	l, other := DefaultLayout(t.TempDir()), DefaultLayout(t.TempDir())
	assert.False(t, l.Below(nil), "there is no lock")
	lock, err := l.Lock(context.Background(), time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	for name, script := range map[string]string{
		"a child":                        `$SELF`,
		"without the environment":        `env -i ` + asks + `=$` + asks + ` $SELF`,
		"without its parents":            `setsid sh -c 'setsid $SELF & exit' | cat`,
		"without environment or parents": `setsid sh -c 'setsid env -i ` + asks + `=$` + asks + ` $SELF & exit' | cat`,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "below", ask(t, lock, l.Root, script))
			assert.Equal(t, "not below", ask(t, lock, other.Root, script), "of another root")
		})
	}
	mark := RunVariable + "=" + lock.mark
	assert.True(t, l.Below([]string{mark}))
	assert.False(t, l.Below([]string{RunVariable + "=1-1-X"}), "of another run")
	assert.False(t, l.Below([]string{RunVariable + "="}))
	assert.False(t, l.Below(nil), "this process is not its own child")
	theirs, err := other.Lock(context.Background(), time.Minute, func() {})
	require.NoError(t, err)
	assert.False(t, other.Below([]string{mark}), "of another root whose lock is held")
	require.NoError(t, theirs.Close())
	require.NoError(t, lock.Close())
	assert.False(t, l.Below([]string{mark}), "it is over")

	initramfs, err := l.LockInitramfs(context.Background(), time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	assert.Equal(t, "below", ask(t, initramfs, l.Root, `$SELF`))
	free, err := l.Lock(context.Background(), time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err, "the lock of the modules is free meanwhile")
	require.NoError(t, free.Close())
	require.NoError(t, initramfs.Close())
}

// A run that was killed leaves its mark in the file of a lock that nobody holds, or
// that another holds who has not written yet.
func TestBelowAfterAKill(t *testing.T) {
	l := DefaultLayout(t.TempDir())
	file := filepath.Join(l.Root, stateDir, mainLock)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	stale := processMark(os.Getppid()) + "STALE"
	require.NoError(t, os.WriteFile(file, []byte(stale), 0o600))
	assert.False(t, l.Below([]string{RunVariable + "=" + stale}), "the lock is free")
	holder := exec.Command("flock", file, "sh", "-c", "echo; cat")
	stdin, err := holder.StdinPipe()
	require.NoError(t, err)
	stdout, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	_, err = stdout.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.True(t, l.Below([]string{RunVariable + "=" + stale}), "what the dead run started holds it on")
	require.NoError(t, stdin.Close())
	require.NoError(t, holder.Wait())
	lock, err := l.Lock(context.Background(), time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	assert.False(t, l.Below([]string{RunVariable + "=" + stale}))
	require.NoError(t, lock.Close())
}
