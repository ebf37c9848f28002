package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/record"
)

// What is kept about the initramfs of a kernel that is removed goes, whether the kernel has a record
// or not.
func TestDropRecord(t *testing.T) {
	for name, before := range map[string]dkmsstate.Record{
		"a record":   dkmsstate.Record{}.With("6.1", dkmsstate.KernelRecord{Unpacked: "x"}),
		"no record":  {},
		"of another": dkmsstate.Record{}.With("6.2", dkmsstate.KernelRecord{Unpacked: "x"}),
	} {
		t.Run(name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			require.NoError(t, os.MkdirAll(filepath.Dir(l.InitramfsPath("6.1")), 0o755))
			for _, kernel := range []dkmsstate.Release{"6.1", "6.2"} {
				require.NoError(t, os.WriteFile(l.InitramfsPath(kernel), nil, 0o644))
				require.NoError(t, record.KeepInitramfs(l, kernel))
				require.NoError(t, record.ListHeld(l, kernel, []string{"loop"}))
				require.NoError(t, record.WriteLook(l, kernel, initramfs.Look{Stamp: "x"}))
			}
			r := run{inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l}, record: &before}
			require.NoError(t, r.dropRecord(dkmsstate.KernelRecord{}))
			files, err := filepath.Glob(filepath.Join(l.Path(dkmsstate.StateDir), "*", "6.*"))
			require.NoError(t, err)
			require.Len(t, files, 3)
			for _, file := range files {
				assert.Equal(t, "6.2", filepath.Base(file))
			}
			assert.NotContains(t, before.Kernels, dkmsstate.Release("6.1"))
		})
	}
}
