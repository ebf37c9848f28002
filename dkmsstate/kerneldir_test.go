package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGhostIsOnlyWhatDKMSAndDepmodLeave(t *testing.T) {
	const dir = "lib/modules/5.4.0-gone/"
	for name, row := range map[string]struct {
		given func(f fabricated)
		ghost bool
	}{
		"nothing":             {func(f fabricated) {}, false},
		"modules and indexes": {func(f fabricated) { f.write(dir+"updates/dkms/m.ko.xz", "m"); f.write(dir+"modules.dep", "") }, true},
		"an empty directory":  {func(f fabricated) { f.write(dir+"x", ""); f.remove(dir + "x") }, true},
		"headers":             {func(f fabricated) { f.write(dir+"modules.dep", ""); f.link("/usr/src/x", dir+"build") }, false},
		"a kernel's module":   {func(f fabricated) { f.write(dir+"modules.dep", ""); f.write(dir+"kernel/own.ko", "") }, false},
		"somebody's update":   {func(f fabricated) { f.write(dir+"updates/mine.ko", "") }, false},
		"a file among them":   {func(f fabricated) { f.write(dir+"updates/dkms/README", "") }, false},
		"a link among them":   {func(f fabricated) { f.link("/etc/passwd", dir+"updates/dkms/m.ko") }, false},
		"shipped by a kernel": {func(f fabricated) { f.write(dir+"modules.order", "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			before := f.listing()
			row.given(f)
			with := f.listing()
			tree := Tree{Layout: f.layout, Kernel: "5.4.0-gone"}
			assert.Equal(t, row.ghost, tree.KernelDirLeftovers() != nil)
			require.NoError(t, tree.RemoveKernelDir())
			if row.ghost {
				assert.Equal(t, before, f.listing())
			} else {
				assert.Equal(t, with, f.listing())
			}
		})
	}
}

// A directory that is a link, or that leads out of the root, is left alone.
func TestGhostFollowsNoLink(t *testing.T) {
	f := fabricate(t)
	f.write("elsewhere/modules.dep", "")
	f.link("../../elsewhere", "lib/modules/5.4.0-gone")
	tree := Tree{Layout: f.layout, Kernel: "5.4.0-gone"}
	assert.Nil(t, tree.KernelDirLeftovers())
	require.NoError(t, tree.RemoveKernelDir())
	assert.Contains(t, f.listing(), "elsewhere/modules.dep")
}
