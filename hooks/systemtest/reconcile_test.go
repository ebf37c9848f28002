//go:build integration

package systemtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// testReconcile shows what is made good at the end of a dpkg run although no hook
// was told, or by a person who asks for it.
func testReconcile(t *testing.T, l suite) {
	whole := ending{image: "install ok installed", modules: present}
	env := l.Env()

	t.Run("a kernel that the stock hooks left half-way", func(t *testing.T) {
		s := l.whole("builddeb")
		r := s.settled.Fork(t, l.Scratch)
		// The package goes and no hook of ours is asked, as when dpkg is killed.
		out := r.Must(t, `mv /etc/kernel /etc/kernel.away && dpkg -P linux-image-$K linux-headers-$K; mv /etc/kernel.away /etc/kernel; ls -d /lib/modules/$K || :`, env...)
		ending{modules: gone}.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("by hand, with nothing to do", func(t *testing.T) {
		s := l.whole("debian")
		r := s.settled.Fork(t, l.Scratch)
		before := snapshot(t, r)
		r.Must(t, `dkms-hooks reconcile --dry-run`)
		assert.Equal(t, before, snapshot(t, r), "a dry run changes nothing")
		assertIdle(t, r, `dkms-hooks reconcile`)
	})
	t.Run("by hand, with something to do", func(t *testing.T) {
		s := l.whole("debian")
		r := s.settled.Fork(t, l.Scratch)
		r.Must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko* && rm -r /var/lib/dkms/beta/1.0/$K && install -d /lib/modules/4.9.0-ghost/updates/dkms && : >/lib/modules/4.9.0-ghost/modules.dep
sed -i 's/"kernels": *{/&"4.9.0-ghost":{"unpacked":"seen"},/' /var/lib/dkms-hooks/record.json`, env...)
		out := r.Must(t, `dkms-hooks reconcile; ls -d /lib/modules/4.9.0-ghost 2>&1 || :`)
		assert.Contains(t, out, "No such file")
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("headers alone: what is built for them stays", func(t *testing.T) {
		r := l.ours.Fork(t, l.Scratch)
		l.WithKernels(t, r, "builddeb")
		out := r.Must(t, `dpkg -i --force-depends $headers1 && dkms build alpha/1.0 -k $K && dkms-hooks reconcile && dpkg -i --force-depends $headers1 && dpkg -i /srv/dkms-hooks.deb; dkms status`, env...)
		assert.Regexp(t, `alpha[/, ]+1\.0, `+regexp.QuoteMeta(l.Kver)+`, \S+: built`, out)
	})
	t.Run("a module that does not compile is tried again when something changed", func(t *testing.T) {
		s := l.whole("debian")
		r := s.settled.Fork(t, l.Scratch)
		l.Make(t, "mkmodule", r.Dir, "bad", "1.0", "--broken", "--count")
		const trigger = `dpkg-trigger --by-package=dkms dkms-hooks-reconcile && dpkg --triggers-only -a`
		tried := func() int { return strings.Count(r.Must(t, `cat /var/tmp/bad.builds`), "\n") }
		out := r.Must(t, `dpkg -i $image1`, env...)
		assert.Contains(t, out, "bad/1.0")
		once := tried()
		out = r.Must(t, trigger)
		assert.Equal(t, once, tried(), out)
		out, exit := r.Run(t, `dkms-hooks reconcile`)
		assert.Equal(t, 1, exit, "a person is told all the same\n%s", out)
		assert.Contains(t, out, "bad/1.0")
		by := tried()
		out = r.Must(t, `touch /usr/src/bad-1.0/dkms.conf && `+trigger)
		assert.Equal(t, by+once, tried(), out)
	})
}
