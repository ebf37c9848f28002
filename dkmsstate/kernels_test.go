package dkmsstate_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/vmlinuz"
)

func TestKernelsAreTheNewestFirst(t *testing.T) {
	f := dkmstest.New(t)
	for _, dir := range []string{
		"lib/modules/6.1.0-9-amd64/x", "lib/modules/6.1.0-10-amd64/x", "lib/modules/not-one/x", "lib/modules/..x/x",
		"var/lib/dkms/m/1.0/5.10.0-gone/x86_64/module/m.ko", "var/lib/dkms/m/1.0/.unbuild-4.19.0-cut/x",
		"var/lib/dkms/m/1.0/build/x", "var/lib/dkms/m/original_module/5.11.0/x86_64/x.ko",
	} {
		f.Write(dir, "")
	}
	f.Link("1.0/5.4.0-link-rt/x86_64", "var/lib/dkms/m/kernel-5.4.0-link-rt-x86_64")
	f.Link("/elsewhere", "lib/modules/9.9-link")
	assert.Equal(t, []dkmsstate.Release{
		"6.1.0-test", "6.1.0-10-amd64", "6.1.0-9-amd64", "5.11.0", "5.10.0-gone", "5.4.0-link-rt", "4.19.0-cut",
	}, f.Kernels())
	assert.Empty(t, dkmstest.Root{T: t, Layout: dkmsstate.DefaultLayout(t.TempDir())}.Kernels())
}

func TestImageThere(t *testing.T) {
	f := dkmstest.New(t)
	assert.False(t, f.Layout.ImageThere(dkmstest.Kernel))
	f.Write("boot/vmlinuz-6.1.0-test2", "")
	assert.False(t, f.Layout.ImageThere(dkmstest.Kernel))
	for _, path := range vmlinuz.Paths(string(dkmstest.Kernel)) {
		f.Write(path, "")
		assert.True(t, f.Layout.ImageThere(dkmstest.Kernel), path)
		require.NoError(t, os.Remove(f.Layout.Path(path)))
	}
}
