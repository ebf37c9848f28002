package dkms

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// asks makes this program a second one, which prints whether it is Below a run. Its value is
// the root.
const asks = "DKMS_HOOKS_TEST_ASKS"

func TestMain(m *testing.M) {
	if root := os.Getenv(asks); root != "" {
		if record.Below(dkmsstate.DefaultLayout(root), os.Environ()) {
			os.Stdout.WriteString("below\n")
		} else {
			os.Stdout.WriteString("not below\n")
		}
		return
	}
	os.Exit(m.Run())
}

// ask runs that program from a shell, in the way in which DKMS runs programs.
func ask(t *testing.T, lock *record.Lock, root, script string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var out bytes.Buffer
	engine := DKMS{Timeout: time.Minute, Lock: lock, Environ: Environment(nil, []string{"SELF=" + self, asks + "=" + root})}
	require.NoError(t, engine.run(context.Background(), nil, &out, "sh", "-c", script))
	return strings.TrimSpace(out.String())
}

func TestBelow(t *testing.T) {
	l, other := dkmsstate.DefaultLayout(t.TempDir()), dkmsstate.DefaultLayout(t.TempDir())
	assert.False(t, record.Below(l, nil), "there is no lock")
	lock, err := record.Acquire(context.Background(), l, time.Minute, func() { t.Error("it waited") })
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
	mark := record.RunVariable + "=" + lock.Mark()
	assert.True(t, record.Below(l, []string{mark}))
	assert.False(t, record.Below(l, []string{record.RunVariable + "=1-1-X"}), "of another run")
	assert.False(t, record.Below(l, []string{record.RunVariable + "="}))
	assert.False(t, record.Below(l, nil), "this process is not its own child")
	theirs, err := record.Acquire(context.Background(), other, time.Minute, func() {})
	require.NoError(t, err)
	assert.False(t, record.Below(other, []string{mark}), "of another root whose lock is held")
	require.NoError(t, theirs.Close())
	require.NoError(t, lock.Close())
	assert.False(t, record.Below(l, []string{mark}), "it is over")

	initramfs, err := record.AcquireInitramfs(context.Background(), l, time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	assert.Equal(t, "below", ask(t, initramfs, l.Root, `$SELF`))
	free, err := record.Acquire(context.Background(), l, time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err, "the lock of the modules is free meanwhile")
	require.NoError(t, free.Close())
	require.NoError(t, initramfs.Close())
}
