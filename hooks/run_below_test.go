package hooks

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// The parent is asked to work on a kernel, unless it works there, or its modules are done and
// it does what follows.
func TestDeferToParent(t *testing.T) {
	sleep := exec.Command("sleep", "1000")
	require.NoError(t, sleep.Start())
	defer func() { _ = sleep.Wait() }()
	defer func() { _ = sleep.Process.Kill() }()
	for name, c := range map[string]struct {
		dir, note string
		want      dkmsstate.Unfinished
	}{
		"nothing is noted":            {want: dkmsstate.Deferred},
		"it works there":              {dir: dkmsstate.UnfinishedDir, note: string(dkmsstate.Interrupted) + "\n", want: dkmsstate.Interrupted},
		"it updates the initramfs":    {dir: dkmsstate.InitramfsDir, note: dkmsstate.ProcessMark(sleep.Process.Pid) + " x\nm\n"},
		"it runs post_transaction":    {dir: dkmsstate.TransactionDir, note: dkmsstate.ProcessMark(sleep.Process.Pid) + " x\n"},
		"an earlier run was to do it": {dir: dkmsstate.InitramfsDir, note: "1-1- x\nm\n", want: dkmsstate.Deferred},
	} {
		t.Run(name, func(t *testing.T) {
			layout := dkmsstate.DefaultLayout(t.TempDir())
			if c.dir != "" {
				dir := filepath.Join(layout.Path(dkmsstate.StateDir), c.dir)
				require.NoError(t, os.MkdirAll(dir, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, "6.1.0"), []byte(c.note), 0o644))
			}
			assert.Equal(t, exitOK, deferToParent(layout, Invocation{Hook: Postinst, Kernel: "6.1.0"}, io.Discard))
			assert.Equal(t, c.want, layout.Unfinished("6.1.0").Why)
		})
	}
}
