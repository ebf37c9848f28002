package apply

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
)

// moved moves a directory of the root to another place and leaves a link to it.
func moved(f dkmstest.Root, name, target string) {
	f.T.Helper()
	place := target
	if !filepath.IsAbs(target) {
		place = filepath.Join("/", filepath.Dir(name), target)
	}
	place = filepath.Clean(place)
	require.NoError(f.T, os.MkdirAll(filepath.Dir(f.Path(place)), 0o755))
	require.NoError(f.T, os.Rename(f.Path(name), f.Path(place)))
	require.NoError(f.T, os.Symlink(target, f.Path(name)))
}

// A directory that root moved to another disk works through its link: the installed files are
// found, removed and installed again, and then nothing is left to do.
func TestMovedDirectoriesAreFollowed(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, move := range map[string]func(f dkmstest.Root){
		"kernel":           func(f dkmstest.Root) { moved(f, "lib/modules/6.1.0-test", "/srv/disk/6.1.0-test") },
		"kernel, relative": func(f dkmstest.Root) { moved(f, "lib/modules/6.1.0-test", "../../srv/disk/6.1.0-test") },
		"updates":          func(f dkmstest.Root) { moved(f, "lib/modules/6.1.0-test/updates", "/srv/disk/updates") },
		"updates/dkms":     func(f dkmstest.Root) { moved(f, "lib/modules/6.1.0-test/updates/dkms", "../elsewhere") },
		"all modules":      func(f dkmstest.Root) { moved(f, "lib/modules", "/srv/disk/modules") },
		"lib":              func(f dkmstest.Root) { moved(f, "lib", "usr/lib") },
		"tree":             func(f dkmstest.Root) { moved(f, "var/lib/dkms", "/srv/disk/dkms") },
		"module":           func(f dkmstest.Root) { moved(f, "var/lib/dkms/one", "/srv/disk/one") },
		"version":          func(f dkmstest.Root) { moved(f, "var/lib/dkms/one/1.0", "/srv/disk/one-1.0") },
		"module and version": func(f dkmstest.Root) {
			moved(f, "var/lib/dkms/one/1.0", "/srv/v")
			moved(f, "var/lib/dkms/one", "/srv/m")
		},
		"a link to a link":     func(f dkmstest.Root) { moved(f, "var/lib/dkms/one", "/srv/a"); moved(f, "srv/a", "b") },
		"over the root's edge": func(f dkmstest.Root) { moved(f, "var/lib/dkms/one", "/../../srv/../srv/one") },
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.AddInstalled(one)
			move(f)
			s := f.Snapshot()
			require.True(t, s.There)
			assert.True(t, s.InOrder(one))
			assert.Empty(t, plan.Autoinstall(s, plan.Goal{}).Tasks)
			assert.Contains(t, f.Kernels(), dkmstest.Kernel)
			before := f.Listing()

			tree := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}
			require.NoError(t, tree.keepPrevious(one))
			_, err := tree.RollBack()
			require.NoError(t, err)
			assert.Equal(t, before, f.Listing(), "rolled back")

			tree.Backup = true
			require.NoError(t, tree.Unbuild(one))
			s = f.Snapshot()
			assert.Empty(t, s.Builds)
			assert.Empty(t, s.Links)
			assert.Empty(t, s.Unowned)
			n, err := tree.RestoreBackups()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			require.NoError(t, tree.Restore(one, dkmstest.Arch, true))
			assert.Equal(t, before, f.Listing(), "removed, and given back")
		})
	}
}

// A second name of a kernel or of a module does not count as another one.
func TestAliasesAreNoKernelsAndNoModules(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	f := dkmstest.New(t)
	f.Register(one, "")
	f.Link("6.1.0-test", "lib/modules/6.1")
	f.Link("one", "var/lib/dkms/alias")
	f.Link("1.0", "var/lib/dkms/one/latest")
	assert.Equal(t, []dkmsstate.Release{dkmstest.Kernel}, f.Kernels())
	assert.Len(t, f.Snapshot().Registrations, 1)
}
