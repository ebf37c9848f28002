//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// ownModule gives the kernel $K a module that each initramfs contains for its directory, and makes
// one. DKMS has a module of that name afterwards.
const ownModule = `cd /lib/modules/$K && mkdir -p kernel/drivers/input/keyboard && mv kernel/lib/crc7.ko kernel/drivers/input/keyboard &&
sed -i 's|kernel/lib/crc7|kernel/drivers/input/keyboard/crc7|' modules.order && depmod $K && $MAKE && : >/var/tmp/made`

// modulesIn prints where the initramfs of $K has crc7.
const modulesIn = `if command -v lsinitramfs >/dev/null; then lsinitramfs /boot/initrd.img-$K; else lsinitrd /boot/initrd.img-$K; fi | sed -n "s|.*lib/modules/$K/\(.*/crc7.ko\).*|\1|p"`

const (
	ofKernel = "kernel/drivers/input/keyboard/crc7.ko\n"
	ofDKMS   = "updates/dkms/crc7.ko\n"
)

// withOwnModule returns a root with a kernel that has ownModule, and with a program that makes an
// initramfs.
func (l suite) withOwnModule(t *testing.T, from lab.Root, k realKernel, tool, maker string) (lab.Root, []string) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	env := append(l.copyKernel(t, r, k), "TOOL="+tool, "MAKER="+maker, "MAKE=update-initramfs -u -k "+k.kver)
	if tool == "dracut" {
		env[len(env)-1] = "MAKE=dracut --force --no-hostonly /boot/initrd.img-" + k.kver + " " + k.kver
	}
	r.Must(t, "dpkg -P acpi-call-dkms beta-dkms; dkms remove beta/1.0 --all; dkms remove alpha/1.0 --all; apt-get -qq install -y --no-install-recommends /debs/tools/$TOOL/*.deb && dpkg -i $headers1 $image1 && "+countMade+" && "+ownModule, env...)
	assert.Equal(t, ofKernel, r.Must(t, modulesIn, env...))
	l.Make(t, "mkmodule", r.Dir, "crc7", "1.0")
	return r, env
}

// testReplaced shows that an initramfs contains the module of DKMS that took the place of one of the
// kernel's own, whoever makes it.
func testReplaced(t *testing.T, l suite, k realKernel, tool, maker string) {
	stock, env := l.withOwnModule(t, l.stock, k, tool, maker)
	stock.Must(t, "dkms autoinstall -k $K; $MAKE", env...)
	_, archived := stock.Run(t, "ls /lib/modules/$K/"+ofKernel, env...) // the dkms of bookworm leaves it there
	withStock := stock.Must(t, modulesIn, env...)
	if archived != 0 && tool == "initramfs-tools" {
		assert.Empty(t, withStock, "with the hooks of dkms neither is there")
	} else {
		assert.Equal(t, ofDKMS, withStock)
	}
	r, env := l.withOwnModule(t, l.ours, k, tool, maker)
	out := r.Must(t, "dkms-hooks run postinst $K", env...)
	assert.Equal(t, ofDKMS, r.Must(t, modulesIn, env...), out)
	assert.Equal(t, "1\n", r.Must(t, "wc -l </var/tmp/made", env...), out)
	assert.Empty(t, r.Must(t, "find /var/lib/dkms-hooks/initramfs-kept /var/lib/dkms-hooks/initramfs -type f", env...), out)
	if tool == "dracut" {
		return
	}
	assert.Equal(t, "crc7\n", r.Must(t, "cat /var/lib/dkms-hooks/initramfs-held/$K", env...))
	r.Must(t, "sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf; $MAKE", env...)
	assert.Empty(t, r.Must(t, modulesIn, env...), "what its owner chose stays")
	r.Must(t, "sed -i s/^MODULES=.*/MODULES=most/ /etc/initramfs-tools/initramfs.conf; rm /var/lib/dkms-hooks/initramfs-held/$K; $MAKE", env...)
	assert.Equal(t, ofDKMS, r.Must(t, modulesIn, env...), "as for a kernel that is new, whoever makes it")
	out = r.Must(t, "dpkg -r dkms-hooks; $MAKE; find /var/tmp -name 'mkinitramfs*'", env...)
	assert.Equal(t, withStock, r.Must(t, modulesIn, env...), out)
	assert.NotContains(t, out, "/var/tmp/mkinitramfs", "nothing is left behind")
}

// byDirectory makes initramfses of what a kernel has in its own directory, quickly.
const byDirectory = `cp -p $MAKER $MAKER.good; printf '#!/bin/sh\n[ "$*" != --version ] || exit 0\necho "$*" >>/var/tmp/made\ncd / && find lib/modules/$3/kernel -name "*.ko*" | cpio -o -H newc --quiet -D /usr >$2\n' >$MAKER`

// testPutBack shows that a new initramfs that lacks a module is replaced by the one before.
// It needs a dkms that moves the kernel's own module away, so that no directory of the kernel has one.
func testPutBack(t *testing.T, l suite) {
	if l.Name != "trixie" {
		t.Skip("played with the dkms of trixie")
	}
	k := l.needQuick(t, "with another ABI")
	r, env := l.withOwnModule(t, l.ours, k, "initramfs-tools", "/usr/sbin/mkinitramfs")
	r.Must(t, byDirectory+`; $MAKE; : >/var/tmp/made; cp /boot/initrd.img-$K /srv/before
mkdir -p /etc/initramfs/post-update.d && printf '#!/bin/sh\necho "$@" >>/var/tmp/told\n' >/etc/initramfs/post-update.d/loader && chmod 755 /etc/initramfs/post-update.d/loader`, env...)
	const lacksIt = "the new one lacks crc7, which the one before contained, so the one before is back; "
	const same = "cmp /srv/before /boot/initrd.img-$K; find /boot /var/lib/dkms-hooks/initramfs-kept -name '*dkms-hooks*' -o -path '*-kept/*'"
	for _, row := range []struct{ name, breaks, says string }{
		{"interrupted and truncated", `printf '#!/bin/sh\n: >/boot/initrd.img-$K\nkill -9 $(cut -d " " -f 4 /proc/$PPID/stat)\nexit 1\n' >$MAKER`, "putting back the initramfs of"},
		{"no space for a copy", `mkdir -p /var/lib/dkms-hooks/initramfs-kept; mount -t tmpfs -o size=4k none /var/lib/dkms-hooks/initramfs-kept`, "cannot keep a copy of the present one: .*no space"},
		{"the program removes it", `printf '#!/bin/sh\nrm /boot/initrd.img-$K; exit 1\n' >$MAKER`, "update-initramfs exited with 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := r.Fork(t, l.Scratch)
			defer r.Drop()
			out := r.Must(t, "cp -p $MAKER $MAKER.fine; "+row.breaks+"; dkms-hooks run postinst $K; umount /var/lib/dkms-hooks/initramfs-kept; cp -p $MAKER.fine $MAKER; dkms-hooks reconcile || :", env...)
			assert.Regexp(t, row.says, out)
			assert.Contains(t, out, lacksIt)
			assert.Empty(t, r.Must(t, same, env...), out)
		})
	}
	out := r.Must(t, "dkms-hooks run postinst $K 2>&1 || :", env...)
	assert.Regexp(t, `the initramfs of \S+ is not updated and may contain an old module \(manually: update-initramfs -u -k \S+\): `+lacksIt, out)
	assert.Empty(t, r.Must(t, same, env...), out)
	assert.Equal(t, "2\n", r.Must(t, "wc -l </var/tmp/told"), "the hooks of boot loaders are run for it")
	out = r.Must(t, "dkms-hooks status || :; wc -l </var/tmp/made; DPKG_MAINTSCRIPT_NAME=postinst DPKG_MAINTSCRIPT_PACKAGE=dkms-hooks dkms-hooks reconcile; wc -l </var/tmp/made", env...)
	assert.Contains(t, out, "lacks crc7")
	assert.Contains(t, out, "\n1\n1\n", "a run of dpkg does not try again")
	assert.NotContains(t, out, "modules.dep")
	out = r.Must(t, "cp -p $MAKER.good $MAKER; echo crc7 >>/etc/initramfs-tools/modules; $MAKE; dkms-hooks check", env...)
	assert.Contains(t, out, "no problems found")
	assert.Equal(t, ofDKMS, r.Must(t, modulesIn, env...))
}
