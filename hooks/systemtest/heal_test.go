//go:build integration

package systemtest

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// damage is a state that an interrupted run or an older dkms leaves, and that the
// stock hooks do not mend.
type damage struct {
	name, do string
	// by is the command that repairs it, "" for a reconcile.
	by string
	// leaves is a path that must be gone afterwards, "" for none.
	leaves string
	// kernels reports whether files of the kernel's package are changed.
	kernels bool
}

func damages() []damage {
	const alpha = "/var/lib/dkms/alpha/1.0/$K"
	return []damage{
		{name: "architecture directory without module/", do: "rm -r " + alpha + "/x86_64/module"},
		{name: "kernel link of another kernel", do: "mkdir -p /var/lib/dkms/alpha/1.0/5.0.0/x86_64; ln -sfn 1.0/5.0.0/x86_64 /var/lib/dkms/alpha/kernel-$K-x86_64"},
		{name: "kernel link that dangles, nothing built", do: "rm -r " + alpha + " /lib/modules/$K/updates/dkms/alpha.ko*; ln -sfn 0.9/$K/x86_64 /var/lib/dkms/alpha/kernel-$K-x86_64",
			by: "dkms-hooks run postinst $K"},
		{name: ".ko without a link", do: "rm /var/lib/dkms/alpha/kernel-$K-x86_64"},
		{name: "link without .ko", do: "rm /lib/modules/$K/updates/dkms/alpha.ko*"},
		{name: "installed .ko of 0 bytes", do: "find /lib/modules/$K/updates/dkms -name 'alpha.ko*' -exec truncate -s 0 {} +"},
		{name: "built .ko of 0 bytes", do: "find " + alpha + "/x86_64/module -name 'alpha.ko*' -exec truncate -s 0 {} +"},
		{name: "scratch of dkms", do: "mkdir -p " + alpha + "/.tmp_x86_64_abcdef/module",
			leaves: alpha + "/.tmp_x86_64_abcdef"},
		{name: "scratch of our own", do: "mkdir -p /var/lib/dkms/alpha/1.0/.unbuild-$K/x86_64",
			leaves: "/var/lib/dkms/alpha/1.0/.unbuild-$K"},
		{name: "files of a depmod that was killed", do: "cd /lib/modules/$K; : >modules.dep.99999999.1.1700000000; : >modules.symbols.bin.99999999.1.1700000000", leaves: "/lib/modules/$K/modules.symbols.bin.99999999.1.1700000000"},
		{name: "second names of depmod's files", do: "cd /lib/modules/$K; mkdir .dkms-hooks && ln modules.dep .dkms-hooks", leaves: "/lib/modules/$K/.dkms-hooks"},
		{name: "a module that was being installed", do: ": >/lib/modules/$K/updates/dkms/.alpha.ko.dkms-hooks", leaves: "/lib/modules/$K/updates/dkms/.alpha.ko.dkms-hooks"},
		{name: "a link that was being made", do: "ln -s nowhere /var/lib/dkms/alpha/.dkms-hooks-link", leaves: "/var/lib/dkms/alpha/.dkms-hooks-link"},
		{name: "word of a depmod that is due", do: ": >/var/lib/dkms/depmod-pending-$K-x86_64; rm /lib/modules/$K/modules.dep.bin", leaves: "/var/lib/dkms/depmod-pending-$K-x86_64"},
		{name: "build of another architecture", do: "cp -a " + alpha + "/x86_64 " + alpha + "/i686; ln -s 1.0/$K/i686 /var/lib/dkms/alpha/kernel-$K-i686", leaves: alpha + "/i686"},
		{name: "plain .ko where the kernel's own are compressed", kernels: true,
			do: `cd /lib/modules/$K; find kernel -name '*.ko' -exec xz -0 --check=crc32 {} +
for f in ` + alpha + `/x86_64/module/alpha.ko.xz updates/dkms/alpha.ko.xz; do [ ! -e $f ] || xz -d $f; done; depmod $K`, leaves: "/lib/modules/$K/updates/dkms/alpha.ko"},
		{name: "plain .ko beside the compressed one", do: "cd /lib/modules/$K/updates/dkms; if [ -e alpha.ko ]; then gzip -k alpha.ko; else xz -dk alpha.ko.xz; fi"},
	}
}

// testHeal leaves a kernel in each of these states and reconciles.
func testHeal(t *testing.T, l suite) {
	from := l.whole("builddeb")
	whole := ending{image: installed, modules: present}
	for i, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			l.turns.need(t, i)
			r := from.settled.Fork(t, l.Scratch)
			r.Must(t, d.do, l.Env()...)
			out := r.Must(t, cmp.Or(d.by, "dkms-hooks reconcile"), l.Env()...)
			whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
			if d.leaves != "" {
				_, exit := r.Run(t, "test ! -e "+d.leaves, l.Env()...)
				assert.Zero(t, exit, "%s is left\n%s", d.leaves, out)
			}
			assertIdle(t, r, "dkms-hooks reconcile") // once is enough
		})
	}
	t.Run("all at once, and the kernel goes", func(t *testing.T) {
		l.turns.need(t, 0)
		r := from.settled.Fork(t, l.Scratch)
		for _, d := range damages() {
			if !d.kernels { // dpkg leaves what is not its own
				r.Run(t, d.do, l.Env()...)
			}
		}
		r.Must(t, ": >/lib/modules/$K/updates/dkms/nobodys.ko", l.Env()...)
		out := r.Must(t, "dpkg -P linux-image-$K linux-headers-$K", l.Env()...)
		ending{modules: gone}.holds(t, look(t, r, l.Kver, goodModules()...), out)
		r.Must(t, "[ ! -e /lib/modules/$K ] && ! ls -d /var/lib/dkms/*pending*", l.Env()...)
	})
	t.Run("a module that a package put there stays", func(t *testing.T) {
		l.turns.need(t, 1)
		r := from.settled.Fork(t, l.Scratch)
		out := r.Must(t, lab.Prelude+`mkdir -p /srv/o/DEBIAN /srv/o/lib/modules/$K/updates/dkms && printf '%s\n' 'Package: owner' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >/srv/o/DEBIAN/control &&
: >/srv/o/lib/modules/$K/updates/dkms/owned.ko && dpkg-deb -b /srv/o /srv/owner.deb && dpkg -i /srv/owner.deb && dpkg -P linux-image-$K linux-headers-$K && ls /lib/modules/$K/updates/dkms`, l.Env()...)
		assert.Contains(t, out, "\nowned.ko\n")
	})
	t.Run("a tree that is a symbolic link", func(t *testing.T) {
		l.turns.need(t, 2)
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, "dkms-hooks run prerm $K --params remove && mv /var/lib/dkms /srv/dkms && ln -s ../../srv/dkms /var/lib/dkms", l.Env()...)
		out := r.Must(t, "dpkg -i $image1", l.Env()...)
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
		assertIdle(t, r, "dkms-hooks reconcile")
		out = r.Must(t, "dpkg -P linux-image-$K linux-headers-$K; ls -d /srv/dkms/*/*/$K 2>&1 || :", l.Env()...)
		ending{modules: gone}.holds(t, look(t, r, l.Kver, goodModules()...), out)
	})
	t.Run("hooks run as a 32-bit process", func(t *testing.T) {
		l.turns.need(t, 3)
		r := from.settled.Fork(t, l.Scratch)
		before := look(t, r, l.Kver, goodModules()...)
		out := r.Must(t, "setarch i686 dpkg -i $image1", l.Env()...)
		kept := ending{image: installed, modules: present, kept: true}
		kept.check(t, before, end{kernel: look(t, r, l.Kver, goodModules()...)}, out)
		out = r.Must(t, "dkms-hooks run prerm $K --params remove && setarch i686 dpkg -i $image1; ls -d /var/lib/dkms/*/*/$K/*", l.Env()...)
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
		assert.NotContains(t, out, "/i686")
	})
	t.Run("no-autoinstall", func(t *testing.T) {
		l.turns.need(t, 4)
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, ": >/etc/dkms/no-autoinstall; rm /lib/modules/$K/updates/dkms/alpha.ko*; rm -r /var/lib/dkms/beta/1.0/$K", l.Env()...)
		out := r.Must(t, "dpkg -i $image1", l.Env()...)
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
		out = r.Must(t, "dpkg -i --force-overwrite $otherheaders $otherimage", l.Env()...)
		ending{image: installed, modules: unbuilt}.holds(t, look(t, r, l.OtherKver(), goodModules()...), out)
	})
	t.Run("a module without AUTOINSTALL that somebody installed", func(t *testing.T) {
		l.turns.need(t, 5)
		r := from.settled.Fork(t, l.Scratch)
		r.Must(t, "sed -i /AUTOINSTALL/d /usr/src/alpha-1.0/dkms.conf; rm /lib/modules/$K/updates/dkms/alpha.ko*", l.Env()...)
		out := r.Must(t, "dpkg -i $image1", l.Env()...)
		whole.holds(t, look(t, r, l.Kver, goodModules()...), out)
		out = r.Must(t, "dpkg -i --force-overwrite $otherheaders $otherimage", l.Env()...)
		other := look(t, r, l.OtherKver(), "alpha", "acpi_call")
		assert.False(t, other.modules["alpha"].built, out)
		assert.True(t, other.modules["acpi_call"].found, out)
	})
}
