package record

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// A daemon that inherited the lock has it after a kill of the holder, whose dkms it may be, and no
// longer once the holder has closed it.
func TestInheritedLock(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	for _, c := range []struct {
		name  string
		end   func(*Lock) error
		taken error
	}{
		{"killed", func(k *Lock) error { return k.file.Close() }, ErrLocked},
		{"closed", func(k *Lock) error { return k.Close() }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			lock, err := Acquire(t.Context(), l, time.Minute, func() { t.Error("it waited") })
			require.NoError(t, err)
			daemon := exec.Command("cat")
			daemon.ExtraFiles = []*os.File{lock.File()}
			stdin, err := daemon.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, daemon.Start())
			require.NoError(t, c.end(lock))
			next, err := Acquire(t.Context(), l, 0, func() {})
			assert.ErrorIs(t, err, c.taken)
			if err == nil {
				require.NoError(t, next.Close())
			}
			require.NoError(t, stdin.Close())
			require.NoError(t, daemon.Wait())
		})
	}
}
