package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A removal that is aborted ends where it began, one that is not leaves the
// registration alone; also when it was begun twice, or cut off before.
func TestSpare(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, prepare := range map[string]func(f fabricated, spare Tree){
		"once": func(f fabricated, spare Tree) { require.NoError(t, spare.Unbuild(one)) },
		"twice": func(f fabricated, spare Tree) {
			require.NoError(t, spare.Unbuild(one))
			require.NoError(t, spare.Unbuild(one))
		},
		"by dkms": func(f fabricated, spare Tree) {
			require.NoError(t, spare.linkBackup(one))
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.removeBuildsOf(one))
			require.NoError(t, spare.Unbuild(one))
		},
		"with an older spare": func(f fabricated, spare Tree) {
			f.write("var/lib/dkms/one/1.0/.spare-6.1.0-test/x86_64/module/one.ko", "older")
			require.NoError(t, spare.Unbuild(one))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.install(one)
			before := f.listing()
			tree := Tree{Layout: f.layout, Kernel: testKernel}
			spare := tree
			spare.Backup = true
			prepare(f, spare)
			s := f.snapshot()
			assert.Empty(t, s.Builds)
			assert.Empty(t, s.Links)
			assert.Contains(t, f.kernels(), testKernel, "a kernel that is gone but for a spare is looked at")

			n, err := tree.RestoreBackups()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			heals(t, f)
			assert.Equal(t, before, f.listing(), "aborted")
			n, err = tree.RestoreBackups()
			require.NoError(t, err)
			assert.Zero(t, n)

			require.NoError(t, spare.Unbuild(one))
			require.NoError(t, tree.DiscardBackups())
			tree.RemoveEmptyDirs()
			var left []string
			for path := range f.listing() {
				if len(path) > len("var/lib/dkms/one/1.0/") && path[:len("var/lib/dkms")] == "var/lib/dkms" {
					left = append(left, path)
				}
			}
			assert.Equal(t, []string{"var/lib/dkms/one/1.0/source"}, left, "gone")
		})
	}
}

// A build that was made anew is the better one.
func TestSpareOfWhatWasBuiltAnew(t *testing.T) {
	one := Module{"one", "1.0"}
	f := fabricate(t)
	f.register(one, "")
	f.install(one)
	f.write("var/lib/dkms/one/1.0/.spare-6.1.0-test/x86_64/module/one.ko", "older")
	before := f.listing()
	_, err := Tree{Layout: f.layout, Kernel: testKernel}.RestoreBackups()
	require.NoError(t, err)
	after := f.listing()
	assert.Equal(t, before["var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko"], after["var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/one.ko"])
	assert.NotContains(t, after, "var/lib/dkms/one/1.0/.spare-6.1.0-test")
}

// removeBuildsOf is what dkms unbuild does to the builds.
func (t Tree) removeBuildsOf(m Module) error {
	tree, err := t.Layout.root().OpenDir(t.Layout.DKMSTree)
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
