//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// testFull runs the hooks where there is no space left: what they cannot do they
// say, nothing is lost, and with space again the next run ends where it should.
func testFull(t *testing.T, l lab) {
	from := l.whole("builddeb")
	env := "K=" + l.kver
	whole := ending{image: "install ok installed", modules: present}

	t.Run("in the kernel's modules", func(t *testing.T) {
		r := from.settled.fork(t, l.scratch)
		before := look(t, r, l.kver, goodModules()...)
		r.must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko*`, env)
		r.full(t, "/lib/modules/"+l.kver, 0)
		out := r.must(t, `/etc/kernel/postinst.d/dkms "$K" && ls -A /lib/modules/$K/updates/dkms`, env)
		assert.Regexp(t, `(?m)^dkms-hooks: failed: alpha/1.0 .*no space left on device`, out)
		assert.NotRegexp(t, `(?m)^\.|^alpha\.ko`, out, "no part of a file is left")
		now := look(t, r, l.kver, goodModules()...)
		assert.Equal(t, 2, now.count(func(m moduleState) bool { return m.found }), "the others are as they were\n%s", out)
		r.must(t, `rm /lib/modules/$K/filler`, env)
		out = r.must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		kept := whole
		kept.kept = true
		kept.check(t, before, end{kernel: look(t, r, l.kver, goodModules()...)}, out)
	})
	t.Run("in the tree of dkms, to build", func(t *testing.T) {
		r := from.settled.fork(t, l.scratch)
		r.must(t, `dkms-hooks run prerm "$K" --params remove`, env)
		r.full(t, "/var/lib/dkms", 0)
		out := r.must(t, `dpkg -i $image1`, l.env()...)
		assert.Contains(t, out, "dkms-hooks: failed: alpha/1.0")
		now := look(t, r, l.kver, goodModules()...)
		assert.Equal(t, len(goodModules()), now.count(func(m moduleState) bool { return m.registered }), out)
		assert.Equal(t, "install ok installed", now.image)
		r.must(t, `rm /var/lib/dkms/filler`)
		out = r.must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		whole.holds(t, look(t, r, l.kver, goodModules()...), out)
	})
	t.Run("in the tree of dkms, to remove", func(t *testing.T) {
		r := from.settled.fork(t, l.scratch)
		r.full(t, "/var/lib/dkms", 0)
		out := r.must(t, `dpkg -P linux-image-$K linux-headers-$K`, env)
		ending{modules: gone}.holds(t, look(t, r, l.kver, goodModules()...), out)
	})
	t.Run("in the hooks' own directory", func(t *testing.T) {
		r := from.settled.fork(t, l.scratch)
		r.full(t, "/var/lib/dkms-hooks", 0)
		l.make(t, "mkmodule", r.dir, "bad", "1.0", "--broken")
		out := r.must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko* && dpkg -i $image1`, l.env()...)
		assert.Contains(t, out, "failed: bad/1.0")
		whole.holds(t, look(t, r, l.kver, goodModules()...), out)
	})
}

// testSpace lets builds be replaced where there is little room, from none to enough,
// in each of the places that are written to. Nothing that worked before is lost in any,
// and with room again one run ends where it should.
func testSpace(t *testing.T, l lab) {
	sizes := []int64{0}
	if l.kills > 0 {
		sizes = []int64{0, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20}
	}
	jobs := l.jobs(t)
	j := jobs[len(jobs)-1]
	if j.name != "replace" {
		skipKernels(t, "with another ABI")
	}
	want, _ := l.undisturbed(t, j)
	env := l.killEnv(t)
	kver := strings.TrimPrefix(env[0], "K=")
	places := []string{"/var/lib/dkms", "/lib/modules/" + kver + "/updates", "/lib/modules/" + kver}
	if l.kills > 0 {
		places = append(places, "/tmp", "/var/lib/dkms-hooks", "/var/log")
	}
	for _, place := range places {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s with %d kB", place, size>>10), func(t *testing.T) {
				r := j.from.fork(t, l.scratch)
				r.full(t, place, size)
				out := r.must(t, j.do, env...)
				for _, module := range j.keeps {
					assert.True(t, l.hasModule(t, r, module), "the kernel is without %s\n%s", module, out)
				}
				zero := r.must(t, `find /var/lib/dkms /lib/modules/$K -name '*.ko*' -size 0`, env...)
				assert.Empty(t, zero, out)
				registered := r.must(t, `ls -d /var/lib/dkms/*/*/source`)
				assert.Equal(t, 3, strings.Count(registered, "\n"), out)
				r.must(t, `rm "$D/filler"`, append(env, "D="+place)...)
				again := r.must(t, j.do, env...)
				got := strings.ReplaceAll(r.must(t, listing, env...), "f "+strings.TrimPrefix(place, "/")+"/filler\n", "")
				assert.Equal(t, want, got, "%s\nagain:\n%s", out, again)
			})
		}
	}
}

// hasModule reports whether modinfo finds a module that dkms installed, whole.
func (l lab) hasModule(t *testing.T, r root, module string) bool {
	t.Helper()
	found, exit := r.run(t, `f=$(modinfo -k $K -n $m) && test -s "$f" && modinfo "$f" >/dev/null && echo "$f"`, append(l.killEnv(t), "m="+module)...)
	return exit == 0 && strings.Contains(found, "/updates/dkms/")
}

// full makes a directory of the root a small tmpfs that holds what it held, and
// a file, filler, that leaves so many bytes.
func (r root) full(t *testing.T, dir string, free int64) {
	t.Helper()
	r.must(t, `mkdir -p "$D" && cp -a "$D" /srv/full`, "D="+dir)
	require.NoError(t, unix.Mount("tmpfs", r.path(dir), "tmpfs", 0, "size=96m,mode=1777"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(r.path(dir), unix.MNT_DETACH)) })
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(r.path(dir), &fs))
	require.EqualValues(t, unix.TMPFS_MAGIC, fs.Type, "only a tmpfs is filled")
	r.must(t, `cp -a /srv/full/. "$D" && rm -r /srv/full && ! dd if=/dev/zero of="$D/filler" bs=4k 2>/dev/null`, "D="+dir)
	info, err := os.Stat(r.path(dir, "filler"))
	require.NoError(t, err)
	require.Greater(t, info.Size(), free)
	require.NoError(t, os.Truncate(r.path(dir, "filler"), info.Size()-free))
}
