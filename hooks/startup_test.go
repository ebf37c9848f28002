package hooks

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// The configuration of the boot loader is read once for all kernels of a reconcile.
func TestStartupReadOnce(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	const grub = "boot/grub/grub.cfg"
	p.write(grub, "menuentry old {\nlinux /vmlinuz-6.1.0\n}\n")
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
	require.NoError(t, err)
	sys := readSystem(inv)
	c := reconciliation{ctx: t.Context(), inv: inv, sys: &sys, machine: machineOf(inv, sys, nil), dryRun: true, stderr: io.Discard, startup: &startup{}}
	c.kernel("6.1.0", nil)
	require.True(t, c.runs[0].mattersAtBoot("6.1.0"))
	keys := c.runs[0].startup.signing(inv, sys.layout)
	require.NoError(t, os.Remove(filepath.Join(p.root, grub)))
	c.kernel("6.2.0", nil)
	assert.Equal(t, dkmsstate.Release("6.1.0"), c.runs[1].nextBoot().next.Kernel)
	assert.Same(t, keys, c.runs[1].startup.signing(inv, sys.layout))
}
