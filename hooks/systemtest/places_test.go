//go:build integration

package systemtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// moved is a directory that an administrator moved to another disk, with a link in its
// place.
type moved struct{ name, do string }

func moves() []moved {
	return []moved{
		{"the kernel's modules", `mv /lib/modules/$K /data/ && ln -s /data/$K /lib/modules/$K`},
		{"all modules", `mv /usr/lib/modules /data/ && ln -s ../../data/modules /usr/lib/modules`},
		{"updates", `mv /lib/modules/$K/updates /data/ && ln -s /data/updates /lib/modules/$K/updates`},
		// not alpha: what needs a module whose directory is a link, dkms never builds
		// (_is_module_installed compares what readlink -f gives with the path)
		{"a module of dkms", `mv /var/lib/dkms/beta /data/ && ln -s /data/beta /var/lib/dkms/beta`},
		{"a version of it", `mv /var/lib/dkms/beta/1.0 /data/v && ln -s ../../../../data/v /var/lib/dkms/beta/1.0`},
	}
}

// inPlaces counts what there is, over links: installed files, built files, kernel links,
// and modules that modinfo finds whole.
const inPlaces = `echo "installed $(find -L /lib/modules/$K/updates -name '*.ko*' 2>/dev/null | wc -l)" \
"built $(find -L /var/lib/dkms/*/1.0 -path "*/$K/*/module/*.ko*" 2>/dev/null | wc -l)" \
"links $(find -L /var/lib/dkms -path "*/kernel-$K-*" -prune -print | wc -l)" \
"found $(for m in alpha beta; do modinfo -k $K $m 2>/dev/null; done | grep -c ^vermagic)" \
"left $(find -L /var/lib/dkms /lib/modules/$K/updates -name '.*' 2>/dev/null | wc -l)"`

// testPlaces lets a kernel come and go where directories are links to other disks, and
// on an overlay on which no directory of before can be renamed: all ends as elsewhere.
func testPlaces(t *testing.T, l suite) {
	k := l.needQuick(t, "that is real")
	settled := l.small(t)
	play := func(t *testing.T, r lab.Root) {
		env := append(l.killEnv(t), "image="+k.in("image", "1"), "upgrade="+k.in("image", "2"))
		const none, all = "installed 0 built 0 links 0 found 0 left 0\n", "installed 2 built 2 links 2 found 2 left 0\n"
		state := func() string { return r.Must(t, inPlaces, env...) }
		assert.Equal(t, all, state())
		assertIdle(t, r, "dkms-hooks reconcile")
		const built = `find -L /var/lib/dkms/*/1.0 -path "*/$K/*/module/*.ko*" -printf '%p %T@\n' | sort`
		before := r.Must(t, built, env...)
		out := r.Must(t, "dpkg -i $upgrade", env...)
		assert.Equal(t, all, state(), out)
		assert.Equal(t, before, r.Must(t, built, env...), "it is the same ABI\n%s", out)
		out = r.Must(t, "find -L /lib/modules/$K/updates -name 'alpha.ko*' -exec truncate -s 0 {} + && dkms-hooks reconcile", env...)
		assert.Equal(t, all, state(), out)
		assertIdle(t, r, "dkms-hooks reconcile")
		r.Must(t, "dkms-hooks check", env...)
		out = r.Must(t, "dpkg -P linux-image-$K", env...)
		assert.Equal(t, none, state(), out)
		out = r.Must(t, "dpkg -i $image", env...)
		assert.Equal(t, all, state(), out)
		assertIdle(t, r, "dkms-hooks reconcile")
		assert.Equal(t, 2, strings.Count(r.Must(t, "ls -d /var/lib/dkms/*/1.0/source"), "\n"))
	}
	for _, m := range moves() {
		t.Run(m.name, func(t *testing.T) {
			r := settled.Fork(t, l.Scratch)
			r.Must(t, "mkdir /data && "+m.do, l.killEnv(t)...)
			play(t, r)
		})
	}
	t.Run("an overlay", func(t *testing.T) { play(t, settled.Overlay(t, l.Scratch, "redirect_dir=off")) })
}
