//go:build integration

package systemtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// testInitramfs shows when the initramfs of a kernel is rebuilt: when it holds a
// module that has changed, or the kernel boots from one; once; and not when the image
// makes it anyway.
func testInitramfs(t *testing.T, l suite) {
	k := l.needQuick(t, "with another ABI")
	// The program that makes an initramfs, and how it is told to put alpha in.
	type tool struct{ maker, listAlpha string }
	tools := map[string]tool{"initramfs-tools": {"/usr/sbin/mkinitramfs", "printf 'alpha\\n' >>/etc/initramfs-tools/modules"}}
	if l.Name == "trixie" && l.kills > 0 { // dracut takes a minute and a half
		tools["dracut"] = tool{"/usr/bin/dracut", "printf 'add_drivers+=\" alpha \"\\nhostonly=no\\n' >/etc/dracut.conf.d/alpha.conf"}
	}
	for name, tool := range tools {
		t.Run(name+", replaced", func(t *testing.T) { testReplaced(t, l, k, name, tool.maker) })
		t.Run(name, func(t *testing.T) {
			r := l.ours.Fork(t, l.Scratch)
			env := append(l.copyKernel(t, r, k), "TOOL="+name, "MAKER="+tool.maker)
			r.Must(t, "dpkg -P acpi-call-dkms; apt-get -qq install -y --no-install-recommends /debs/tools/$TOOL/*.deb && "+tool.listAlpha+" && "+countMade, env...)
			// made are the calls that made an initramfs since it was asked last.
			made := func() []string {
				calls := strings.Split(r.Must(t, "cat /var/tmp/made; : >/var/tmp/made"), "\n")
				return calls[:len(calls)-1]
			}
			// same reports whether the initramfs holds the module that is installed.
			same := func() bool {
				out := r.Must(t, `rm -rf /srv/x; mkdir /srv/x; cd /srv/x
if command -v unmkinitramfs >/dev/null; then unmkinitramfs /boot/initrd.img-$K .; else lsinitrd --unpack /boot/initrd.img-$K; fi >/dev/null 2>&1
f=$(find . -name 'alpha.ko*'); case $f in *.zst) zstd -qd --rm $f; f=${f%.zst};; *.xz) xz -d $f; f=${f%.xz};; esac
cmp $f /lib/modules/$K/updates/dkms/alpha.ko && echo the same || :`, env...)
				return strings.Contains(out, "the same\n")
			}
			out := r.Must(t, "dpkg -i $headers1 && dpkg -i $image1", env...)
			assert.Len(t, made(), 1, "the image makes it\n%s", out)
			assert.True(t, same(), out)
			out = r.Must(t, "dpkg -i $image3", env...)
			assert.Len(t, made(), 1, out)
			out = r.Must(t, "dpkg -i $headers3", env...)
			assert.Len(t, made(), 1, out)
			assert.True(t, same(), out)
			out = r.Must(t, "rm -r /var/lib/dkms/beta/1.0/$K && dkms-hooks reconcile", env...)
			r.Must(t, "ls /var/lib/dkms/beta/1.0/$K", env...)
			if again := made(); name != "dracut" { // which puts every module in
				assert.Empty(t, again, "it does not hold beta\n%s", out)
			}
			out = r.Must(t, "dkms-hooks run prerm $K --params remove; dkms-hooks run postinst $K", env...)
			assert.Len(t, made(), 2, out)
			assert.True(t, same(), out)
		})
	}
}

// countMade lets $MAKER write what it is called with.
const countMade = `mv $MAKER $MAKER.real && printf '#!/bin/sh\n[ "$*" = --version ] || echo "$*" >>/var/tmp/made\nexec %s.real "$@"\n' $MAKER >$MAKER && chmod 755 $MAKER && : >/var/tmp/made`
