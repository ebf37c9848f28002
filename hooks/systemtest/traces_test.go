//go:build integration

package systemtest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/hooks/systemtest/lab"
)

// testTraces looks at the whole root: what is done with our package coming and going
// ends, to the byte, as what is done without it.
func testTraces(t *testing.T, l suite) {
	const ours = "dpkg -i /srv/dkms-hooks.deb && "
	const gone = " && dpkg -P dkms-hooks"
	const kernels = "dpkg -i $otherheaders $otherimage && dpkg -P linux-image-$OTHER linux-headers-$OTHER"
	rows := []struct {
		name string
		// without and with are what is done.
		without, with string
	}{
		{"over stock", ":", ours + ":" + gone},
		{"removed and purged later", ":", ours + "dpkg -r dkms-hooks" + gone},
		{"before dkms", "dpkg -P --force-depends dkms && dpkg -i /debs/dkms_*.deb",
			"dpkg -P --force-depends dkms && dpkg --unpack /srv/dkms-hooks.deb && dpkg -i /debs/dkms_*.deb && dpkg --configure -a" + gone},
		{"dkms upgraded", changedDKMS() + "dpkg -i /srv/new.deb", ours + changedDKMS() + "dpkg -i /srv/new.deb" + gone},
		{"dkms purged first", "dpkg -P --force-depends dkms", ours + "dpkg -P --force-depends dkms" + gone},
		{"upgraded from the version before", ":", ours + repack("/srv/dkms-hooks.deb", ":") + "dpkg -i /srv/new.deb" + gone},
		{"a kernel came and went", ":", ours + kernels + gone},
		{"a kernel came and went, upgraded between", ":", ours + "dpkg -i $otherheaders $otherimage && " + repack("/srv/dkms-hooks.deb", ":") +
			"dpkg -i /srv/new.deb && dpkg -P linux-image-$OTHER linux-headers-$OTHER" + gone},
	}
	from := l.stock.Fork(t, l.Scratch)
	from.Must(t, "dpkg -P acpi-call-dkms") // two modules are enough here
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l.turns.need(t, i)
			end := func(script string) lab.Root {
				r := from.Fork(t, l.Scratch)
				r.CopyIn(t, l.Deb, "dkms-hooks.deb")
				l.WithKernels(t, r, "builddeb")
				out, code := r.Run(t, script, l.Env()...)
				require.Zero(t, code, out)
				return r
			}
			without, with := end(row.without), end(row.with)
			books := "ls /var/lib/dpkg/info; dpkg-divert --list; sort /var/lib/dpkg/triggers/File /var/lib/dpkg/statoverride 2>/dev/null; :"
			assert.Equal(t, without.Must(t, books), with.Must(t, books))
			for _, path := range touched(t, without, with) {
				assert.Equal(t, describe(t, without, path), describe(t, with, path), path)
			}
		})
	}
}

// touched returns the paths at which forks of one root may differ, but for logs, dpkg's
// own books and caches, where there are times and the order of things.
func touched(t *testing.T, roots ...lab.Root) []string {
	t.Helper()
	passed := []string{"/srv", "/tmp", "/proc", "/run", "/var/lib/dpkg", "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/cache/ldconfig", "/etc/ld.so.cache",
		"/etc/apt/apt.conf.d/01autoremove-kernels"} // which apt of bullseye makes for each kernel
	// What dkms builds in, which every build removes, and what beta does when it is removed.
	inDKMS := regexp.MustCompile(`^(/var/lib/dkms/[^/]+/[^/]+/build|/var/tmp/beta\.post-remove)$`)
	var paths []string
	for _, r := range roots {
		upper := r.Layers[0]
		require.NoError(t, filepath.WalkDir(upper, func(path string, d fs.DirEntry, err error) error {
			require.NoError(t, err)
			inside := "/" + strings.TrimPrefix(strings.TrimPrefix(path, upper), "/")
			if slices.Contains(passed, inside) || inDKMS.MatchString(inside) {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			paths = append(paths, inside)
			return nil
		}))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// describe says what is at a path of a root: its kind, mode and owner, and contents.
func describe(t *testing.T, r lab.Root, path string) string {
	t.Helper()
	file := r.Path(path)
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "nothing"
	}
	require.NoError(t, err)
	var stat unix.Stat_t
	require.NoError(t, unix.Lstat(file, &stat))
	said := fmt.Sprintf("%s %d:%d", info.Mode(), stat.Uid, stat.Gid)
	switch {
	case info.Mode().IsRegular():
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return fmt.Sprintf("%s %x", said, sha256.Sum256(data))
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(file)
		require.NoError(t, err)
		return said + " " + target
	}
	return said
}
