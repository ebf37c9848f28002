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

	"dkms-hooks/hooks/systemtest/lab"
)

// testFull runs the hooks where there is no space left: what they cannot do they
// say, nothing is lost, and with space again the next run ends where it should.
func testFull(t *testing.T, l suite) {
	from := l.whole("builddeb")
	env := "K=" + l.Kver
	whole := ending{image: "install ok installed", modules: present}

	t.Run("in the kernel's modules", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		before := look(t, r, l.Kver, goodModules()...)
		r.Must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko*`, env)
		full(t, r, "/lib/modules/"+l.Kver, 0)
		out := r.Must(t, `/etc/kernel/postinst.d/dkms "$K" && ls -A /lib/modules/$K/updates/dkms`, env)
		assert.Contains(t, out, "alpha/1.0")
		assert.NotRegexp(t, `(?m)^\.|^alpha\.ko`, out, "no part of a file is left")
		now := look(t, r, l.Kver, goodModules()...)
		assert.Equal(t, 2, now.count(func(m moduleState) bool { return m.found }), "the others are as they were\n%s", out)
		r.Must(t, `rm /lib/modules/$K/filler`, env)
		out = r.Must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		kept := whole
		kept.kept = true
		kept.check(t, before, end{kernel: look(t, r, l.Kver, goodModules()...)}, out)
	})
	t.Run("in the tree of dkms, to build", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, `dkms-hooks run prerm "$K" --params remove`, env)
		full(t, r, "/var/lib/dkms", 0)
		out := r.Must(t, `dpkg -i $image1`, l.Env()...)
		assert.Contains(t, out, "alpha/1.0")
		now := look(t, r, l.Kver, goodModules()...)
		assert.Equal(t, len(goodModules()), now.count(func(m moduleState) bool { return m.registered }), out)
		assert.Equal(t, "install ok installed", now.image)
		r.Must(t, `rm /var/lib/dkms/filler`)
		out = r.Must(t, `/etc/kernel/postinst.d/dkms "$K"`, env)
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("in the tree of dkms, to remove", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		full(t, r, "/var/lib/dkms", 0)
		out := r.Must(t, `dpkg -P linux-image-$K linux-headers-$K`, env)
		ending{modules: gone}.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("in the hooks' own directory", func(t *testing.T) {
		r := from.settled.Fork(t, l.Scratch)
		full(t, r, "/var/lib/dkms-hooks", 0)
		l.Make(t, "mkmodule", r.Dir, "bad", "1.0", "--broken")
		out := r.Must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko* && dpkg -i $image1`, l.Env()...)
		assert.Contains(t, out, "bad/1.0")
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
}

// testSpace lets builds be replaced where there is little room, from none to enough,
// in each of the places that are written to. Nothing that worked before is lost in any,
// and with room again one run ends where it should.
func testSpace(t *testing.T, l suite) {
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
				r := j.from.Fork(t, l.Scratch)
				full(t, r, place, size)
				out, _ := r.Run(t, j.do, env...)
				for _, module := range j.keeps {
					assert.True(t, l.hasModule(t, r, module), "the kernel is without %s\n%s", module, out)
				}
				zero := r.Must(t, `find /var/lib/dkms /lib/modules/$K -name '*.ko*' -size 0`, env...)
				assert.Empty(t, zero, out)
				registered := r.Must(t, `ls -d /var/lib/dkms/*/*/source`)
				assert.Equal(t, 3, strings.Count(registered, "\n"), out)
				r.Must(t, `rm "$D/filler"`, append(env, "D="+place)...)
				again := r.Must(t, j.do, env...)
				got := strings.ReplaceAll(r.Must(t, listing, env...), "f "+strings.TrimPrefix(place, "/")+"/filler\n", "")
				assert.Equal(t, want, got, "%s\nagain:\n%s", out, again)
			})
		}
	}
}

// hasModule reports whether modinfo finds a module that dkms installed, whole.
func (l suite) hasModule(t *testing.T, r lab.Root, module string) bool {
	t.Helper()
	found, exit := r.Run(t, `f=$(modinfo -k $K -n $m) && test -s "$f" && modinfo "$f" >/dev/null && echo "$f"`, append(l.killEnv(t), "m="+module)...)
	return exit == 0 && strings.Contains(found, "/updates/dkms/")
}

// full makes a directory of the root a small tmpfs that holds what it held, and
// a file, filler, that leaves so many bytes.
func full(t *testing.T, r lab.Root, dir string, free int64) {
	t.Helper()
	r.Must(t, `mkdir -p "$D" && cp -a "$D" /srv/full`, "D="+dir)
	require.NoError(t, unix.Mount("tmpfs", r.Path(dir), "tmpfs", 0, "size=96m,mode=1777"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(r.Path(dir), unix.MNT_DETACH)) })
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(r.Path(dir), &fs))
	require.EqualValues(t, unix.TMPFS_MAGIC, fs.Type, "only a tmpfs is filled")
	r.Must(t, `cp -a /srv/full/. "$D" && rm -r /srv/full && ! dd if=/dev/zero of="$D/filler" bs=4k 2>/dev/null`, "D="+dir)
	info, err := os.Stat(r.Path(dir, "filler"))
	require.NoError(t, err)
	require.Greater(t, info.Size(), free)
	require.NoError(t, os.Truncate(r.Path(dir, "filler"), info.Size()-free))
}
