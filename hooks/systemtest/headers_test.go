//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// testHeaders prepares headers on the machine, as Armbian's packages do, where Kconfig
// finds other tools than the image was built with; and it puts a module of another
// build among the kernel's own. Neither is a reason to build nothing. Who insists gets
// modules built with headers that really are of another image.
func testHeaders(t *testing.T, l suite) {
	if l.kernels == "" {
		skipKernels(t, "that is real")
	}
	for _, k := range findKernels(t, l.kernels) {
		r := l.ours.Fork(t, l.Scratch)
		env := l.copyKernel(t, r, k)
		has := func(module string) bool {
			_, code := r.Run(t, "ls /lib/modules/$K/updates/dkms/"+module+".ko* && modinfo -k $K "+module, env...)
			return code == 0
		}
		r.Must(t, "dpkg -P acpi-call-dkms; dpkg -i $headers1", env...)
		t.Run(k.kver+" other tools", func(t *testing.T) {
			out := r.Must(t, `cd /lib/modules/$K/build/include/config
				sed -i -e '/CONFIG_CC_HAS_\|CONFIG_AS_HAS_\|CONFIG_PAHOLE/d' -e 's/\(CONFIG_\(GCC\|AS\|LD\)_VERSION\)=.*/\1=99999/' auto.conf
				printf 'CONFIG_CC_HAS_COUNTED_BY=y\nCONFIG_PAHOLE_VERSION=131\nCONFIG_DEBUG_INFO_BTF=y\n' >>auto.conf
				dpkg -i $image1`, env...)
			assert.Equal(t, "present", statusOf(t, r).on(t, k.kver).Headers, out)
			assert.True(t, has("alpha"), out)
		})
		t.Run(k.kver+" a module of another build", func(t *testing.T) {
			out := r.Must(t, `set -e
				dpkg-deb -x $image3 /tmp/other
				own=$(find /tmp/other/lib/modules/$K/kernel /tmp/other/usr/lib/modules/$K/kernel -name '*.ko*' 2>/dev/null | head -1)
				cp $own /lib/modules/$K/kernel/aaa_vendor.ko${own##*.ko}
				depmod $K
				dkms unbuild alpha/1.0 -k $K
				dkms-hooks run postinst $K`, env...)
			assert.Equal(t, "present", statusOf(t, r).on(t, k.kver).Headers, out)
			assert.True(t, has("alpha"), out)
		})
		t.Run(k.kver+" forced", func(t *testing.T) {
			out := r.Must(t, "rm /lib/modules/$K/kernel/aaa_vendor*; dkms unbuild alpha/1.0 -k $K; dpkg -i $image3", env...)
			assert.Equal(t, "foreign", statusOf(t, r).on(t, k.kver).Headers, out)
			assert.Contains(t, out, "--force")
			assert.False(t, has("alpha"), out)
			out = r.Must(t, "dkms-hooks run postinst $K --force", env...)
			assert.True(t, has("alpha"), out)
		})
	}
}
