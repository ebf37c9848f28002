package apply

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
)

// An aborted removal ends where it began. One that is not aborted leaves only the registration.
// Both also hold if the removal was begun twice, or interrupted before.
func TestSpare(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, prepare := range map[string]func(f dkmstest.Root, spare Tree){
		"once": func(f dkmstest.Root, spare Tree) { require.NoError(t, spare.Unbuild(one)) },
		"twice": func(f dkmstest.Root, spare Tree) {
			require.NoError(t, spare.Unbuild(one))
			require.NoError(t, spare.Unbuild(one))
		},
		"by dkms": func(f dkmstest.Root, spare Tree) {
			require.NoError(t, spare.linkBackup(one))
			require.NoError(t, Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.removeBuildsOf(one))
			require.NoError(t, spare.Unbuild(one))
		},
		"with an older spare": func(f dkmstest.Root, spare Tree) {
			f.Write("var/lib/dkms/one/1.0/.backup-6.1.0-test/x86_64/module/one.ko", "older")
			require.NoError(t, spare.Unbuild(one))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.AddInstalled(one)
			before := f.Listing()
			tree := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}
			spare := tree
			spare.Backup = true
			prepare(f, spare)
			s := f.Snapshot()
			assert.Empty(t, s.Builds)
			assert.Empty(t, s.Links)
			assert.Contains(t, f.Kernels(), dkmstest.Kernel, "a kernel that is gone but for a spare is looked at")

			n, err := tree.RestoreBackups()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			heals(t, f)
			assert.Equal(t, before, f.Listing(), "aborted")
			n, err = tree.RestoreBackups()
			require.NoError(t, err)
			assert.Zero(t, n)

			require.NoError(t, spare.Unbuild(one))
			require.NoError(t, tree.DiscardBackups())
			tree.RemoveEmptyDirs([]string{dkmsstate.InstalledUnder})
			var left []string
			for path := range f.Listing() {
				if len(path) > len("var/lib/dkms/one/1.0/") && path[:len("var/lib/dkms")] == "var/lib/dkms" {
					left = append(left, path)
				}
			}
			assert.Equal(t, []string{"var/lib/dkms/one/1.0/source"}, left, "gone")
		})
	}
}

// A new build is preferred to the backup.
func TestSpareOfWhatWasBuiltAnew(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	f := dkmstest.New(t)
	f.Register(one, "")
	f.AddInstalled(one)
	f.Write("var/lib/dkms/one/1.0/.backup-6.1.0-test/x86_64/module/one.ko", "older")
	before := f.Listing()
	_, err := Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.RestoreBackups()
	require.NoError(t, err)
	after := f.Listing()
	assert.Equal(t, before["var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko"], after["var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko"])
	assert.NotContains(t, after, "var/lib/dkms/one/1.0/.backup-6.1.0-test")
}

// removeBuildsOf is what dkms unbuild does to the builds.
func (t Tree) removeBuildsOf(m dkmsstate.Module) error {
	tree, err := t.Layout.NoFollow().OpenDir(t.Layout.DKMSTree)
	if err != nil {
		return err
	}
	defer tree.Close()
	version, err := tree.Descend(m.Name, m.Version)
	if err != nil {
		return err
	}
	defer version.Close()
	return version.RemoveAll(string(t.Kernel))
}
