//go:build integration

package systemtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// testInitramfs shows when the initramfs of a kernel is made anew: when it holds a
// module that has changed, or the kernel boots from one; once; and not when the image
// makes it anyway.
func testInitramfs(t *testing.T, l suite) {
	k := l.needQuick(t, "with another ABI")
	tools := map[string]string{"initramfs-tools": "printf 'alpha\\n' >>/etc/initramfs-tools/modules"}
	if l.Name == "trixie" && l.kills > 0 { // dracut takes a minute and a half
		tools["dracut"] = "printf 'add_drivers+=\" alpha \"\\nhostonly=no\\n' >/etc/dracut.conf.d/alpha.conf"
	}
	for tool, listAlpha := range tools {
		t.Run(tool, func(t *testing.T) {
			r := l.ours.Fork(t, l.Scratch)
			env := append(l.copyKernel(t, r, k), "TOOL="+tool)
			r.Must(t, "dpkg -P acpi-call-dkms; apt-get -qq install -y --no-install-recommends /debs/tools/$TOOL/*.deb && "+listAlpha, env...)
			const making = "dkms-hooks: updating the initramfs of "
			// same reports whether the initramfs holds the module that is installed.
			same := func() bool {
				out := r.Must(t, `rm -rf /srv/x; mkdir /srv/x; cd /srv/x
if command -v unmkinitramfs >/dev/null; then unmkinitramfs /boot/initrd.img-$K .; else lsinitrd --unpack /boot/initrd.img-$K; fi >/dev/null 2>&1
f=$(find . -name 'alpha.ko*'); case $f in *.zst) zstd -qd --rm $f; f=${f%.zst};; *.xz) xz -d $f; f=${f%.xz};; esac
cmp $f /lib/modules/$K/updates/dkms/alpha.ko && echo the same || :`, env...)
				return strings.Contains(out, "the same\n")
			}
			out := r.Must(t, "dpkg -i $headers1 && dpkg -i $image1", env...)
			assert.NotContains(t, out, making, "the image makes it")
			assert.True(t, same(), out)
			out = r.Must(t, "dpkg -i $image3", env...)
			assert.NotContains(t, out, making)
			out = r.Must(t, "dpkg -i $headers3", env...)
			assert.Contains(t, out, "rebuilt alpha/1.0")
			assert.Equal(t, 1, strings.Count(out, making), out)
			assert.True(t, same(), out)
			out = r.Must(t, "rm -r /var/lib/dkms/beta/1.0/$K && dkms-hooks reconcile", env...)
			assert.Contains(t, out, "building beta/1.0")
			if tool != "dracut" { // which puts every module in
				assert.NotContains(t, out, making, "it does not hold beta")
			}
			out = r.Must(t, "dkms-hooks run prerm $K --params remove; dkms-hooks run postinst $K", env...)
			assert.Equal(t, 2, strings.Count(out, making), out)
			assert.True(t, same(), out)
		})
	}
}
