package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
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
			assert.True(t, s.Whole(one))
			assert.Empty(t, PlanAutoinstall(s, Goal{}).Tasks)
			assert.Contains(t, f.kernels(), testKernel)
			before := f.listing()

			tree := Tree{Layout: f.layout, Kernel: testKernel}
			require.NoError(t, tree.keepOld(one))
			_, err := tree.RollBack()
			require.NoError(t, err)
			assert.Equal(t, before, f.listing(), "rolled back")

			tree.Spare = true
			require.NoError(t, tree.Unbuild(one))
			s = f.snapshot()
			assert.Empty(t, s.Builds)
			assert.Empty(t, s.Links)
			assert.Empty(t, s.Stray)
			n, err := tree.Revive()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			require.NoError(t, tree.Restore(one, testArch, true))
			assert.Equal(t, before, f.listing(), "removed, and given back")
		})
	}
}

// What is followed is only what nobody but root can have made.
func TestLinksOfOthersAreNotFollowed(t *testing.T) {
	const another = 12345
	none := func(string, string) error { return nil }
	for name, c := range map[string]struct {
		mode os.FileMode
		give func(place, link string) error
		ok   bool
	}{
		"root's":                         {0o755, none, true},
		"of another in root's directory": {0o755, func(_, link string) error { return os.Lchown(link, another, another) }, false},
		"root's in another's directory":  {0o755, func(place, _ string) error { return os.Chown(place, another, another) }, false},
		"a directory of a group":         {0o775, func(place, _ string) error { return os.Chown(place, -1, another) }, false},
		"a directory of root's group":    {0o775, func(place, _ string) error { return os.Chown(place, -1, 0) }, true},
		"a directory for all":            {0o777 | os.ModeSticky, none, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.write("elsewhere/dir/file", "")
			f.link("/elsewhere", "place/link")
			require.NoError(t, os.Chmod(f.path("place"), c.mode))
			if err := c.give(f.path("place"), f.path("place/link")); err != nil {
				t.Skip("only root gives files to another: ", err)
			}
			place, err := f.layout.openDir("/place")
			require.NoError(t, err)
			defer place.Close()
			d, err := openSub(place, "link", "dir")
			if !c.ok {
				assert.ErrorContains(t, err, "cannot follow the symbolic link")
				return
			}
			require.NoError(t, err)
			defer d.Close()
			_, err = d.Lstat("file")
			assert.NoError(t, err)
		})
	}
}

func TestLinksThatLeadNowhere(t *testing.T) {
	f := fabricate(t)
	f.link("loop", "place/loop")
	f.link("/gone", "place/gone")
	f.write("place/file", "")
	place, err := f.layout.openDir("/place")
	require.NoError(t, err)
	defer place.Close()
	_, err = openSub(place, "loop")
	assert.ErrorIs(t, err, unix.ELOOP)
	_, err = openSub(place, "gone")
	assert.True(t, isNotThere(err))
	_, err = openSub(place, "file")
	assert.ErrorContains(t, err, "it is no directory")
	assert.Equal(t, f.path("gone/x"), f.layout.inside("/place/gone/x"))
	assert.Equal(t, f.path("x"), f.layout.inside("/../../x"))
	f.layout.inside("/place/loop")
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
