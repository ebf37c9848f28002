package apply

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/dkmstest"
)

func TestGhostIsOnlyWhatDKMSAndDepmodLeave(t *testing.T) {
	const dir = "lib/modules/5.4.0-gone/"
	for name, row := range map[string]struct {
		given func(f dkmstest.Root)
		ghost bool
	}{
		"nothing":             {func(f dkmstest.Root) {}, false},
		"modules and indexes": {func(f dkmstest.Root) { f.Write(dir+"updates/dkms/m.ko.xz", "m"); f.Write(dir+"modules.dep", "") }, true},
		"an empty directory":  {func(f dkmstest.Root) { f.Write(dir+"x", ""); f.Remove(dir + "x") }, true},
		"headers":             {func(f dkmstest.Root) { f.Write(dir+"modules.dep", ""); f.Link("/usr/src/x", dir+"build") }, false},
		"a kernel's module":   {func(f dkmstest.Root) { f.Write(dir+"modules.dep", ""); f.Write(dir+"kernel/own.ko", "") }, false},
		"its directories": {func(f dkmstest.Root) {
			f.Write(dir+"modules.dep", "")
			f.Write(dir+"kernel/drivers/net/m.ko", "")
			f.Remove(dir + "kernel/drivers/net/m.ko")
		}, true},
		"somebody's update":   {func(f dkmstest.Root) { f.Write(dir+"updates/mine.ko", "") }, false},
		"a file among them":   {func(f dkmstest.Root) { f.Write(dir+"updates/dkms/README", "") }, false},
		"a link among them":   {func(f dkmstest.Root) { f.Link("/etc/passwd", dir+"updates/dkms/m.ko") }, false},
		"shipped by a kernel": {func(f dkmstest.Root) { f.Write(dir+"modules.order", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			before := f.Listing()
			row.given(f)
			with := f.Listing()
			tree := Tree{Layout: f.Layout, Kernel: "5.4.0-gone"}
			assert.Equal(t, row.ghost, tree.KernelDirLeftovers() != nil)
			require.NoError(t, tree.RemoveKernelDir())
			if row.ghost {
				assert.Equal(t, before, f.Listing())
			} else {
				assert.Equal(t, with, f.Listing())
			}
		})
	}
}

// A directory that is a link, or that leads out of the root, is left alone.
func TestGhostFollowsNoLink(t *testing.T) {
	f := dkmstest.New(t)
	f.Write("elsewhere/modules.dep", "")
	f.Link("../../elsewhere", "lib/modules/5.4.0-gone")
	tree := Tree{Layout: f.Layout, Kernel: "5.4.0-gone"}
	assert.Nil(t, tree.KernelDirLeftovers())
	require.NoError(t, tree.RemoveKernelDir())
	assert.Contains(t, f.Listing(), "elsewhere/modules.dep")
}
