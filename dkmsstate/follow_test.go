package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moved moves a directory of the root to another place and leaves a link to it.
func (f fabricated) moved(name, target string) {
	f.t.Helper()
	place := target
	if !filepath.IsAbs(target) {
		place = filepath.Join("/", filepath.Dir(name), target)
	}
	place = filepath.Clean(place)
	require.NoError(f.t, os.MkdirAll(filepath.Dir(f.path(place)), 0o755))
	require.NoError(f.t, os.Rename(f.path(name), f.path(place)))
	require.NoError(f.t, os.Symlink(target, f.path(name)))
}

// A directory that root moved to another disk is where its link says, for everything:
// what is installed is found, removed, and installed again, and then nothing is left to
// be done.
func TestMovedDirectoriesAreFollowed(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, move := range map[string]func(f fabricated){
		"kernel":               func(f fabricated) { f.moved("lib/modules/6.1.0-test", "/srv/disk/6.1.0-test") },
		"kernel, relative":     func(f fabricated) { f.moved("lib/modules/6.1.0-test", "../../srv/disk/6.1.0-test") },
		"updates":              func(f fabricated) { f.moved("lib/modules/6.1.0-test/updates", "/srv/disk/updates") },
		"updates/dkms":         func(f fabricated) { f.moved("lib/modules/6.1.0-test/updates/dkms", "../elsewhere") },
		"all modules":          func(f fabricated) { f.moved("lib/modules", "/srv/disk/modules") },
		"lib":                  func(f fabricated) { f.moved("lib", "usr/lib") },
		"tree":                 func(f fabricated) { f.moved("var/lib/dkms", "/srv/disk/dkms") },
		"module":               func(f fabricated) { f.moved("var/lib/dkms/one", "/srv/disk/one") },
		"version":              func(f fabricated) { f.moved("var/lib/dkms/one/1.0", "/srv/disk/one-1.0") },
		"module and version":   func(f fabricated) { f.moved("var/lib/dkms/one/1.0", "/srv/v"); f.moved("var/lib/dkms/one", "/srv/m") },
		"a link to a link":     func(f fabricated) { f.moved("var/lib/dkms/one", "/srv/a"); f.moved("srv/a", "b") },
		"over the root's edge": func(f fabricated) { f.moved("var/lib/dkms/one", "/../../srv/../srv/one") },
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.install(one)
			move(f)
			s := f.snapshot()
			require.True(t, s.There)
			assert.True(t, s.InOrder(one))
			assert.Empty(t, PlanAutoinstall(s, Goal{}).Tasks)
			assert.Contains(t, f.kernels(), testKernel)
			before := f.listing()

			tree := Tree{Layout: f.layout, Kernel: testKernel}
			require.NoError(t, tree.keepPrevious(one))
			_, err := tree.RollBack()
			require.NoError(t, err)
			assert.Equal(t, before, f.listing(), "rolled back")

			tree.Backup = true
			require.NoError(t, tree.Unbuild(one))
			s = f.snapshot()
			assert.Empty(t, s.Builds)
			assert.Empty(t, s.Links)
			assert.Empty(t, s.Unowned)
			n, err := tree.RestoreBackups()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			require.NoError(t, tree.Restore(one, testArch, true))
			assert.Equal(t, before, f.listing(), "removed, and given back")
		})
	}
}

// A second name of a kernel or of a module is not another one.
func TestAliasesAreNoKernelsAndNoModules(t *testing.T) {
	one := Module{"one", "1.0"}
	f := fabricate(t)
	f.register(one, "")
	f.link("6.1.0-test", "lib/modules/6.1")
	f.link("one", "var/lib/dkms/alias")
	f.link("1.0", "var/lib/dkms/one/latest")
	assert.Equal(t, []Release{testKernel}, f.kernels())
	assert.Len(t, f.snapshot().Registrations, 1)
}
