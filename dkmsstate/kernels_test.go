package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKernelsAreTheNewestFirst(t *testing.T) {
	f := fabricate(t)
	for _, dir := range []string{
		"lib/modules/6.1.0-9-amd64/x", "lib/modules/6.1.0-10-amd64/x", "lib/modules/not-one/x", "lib/modules/..x/x",
		"var/lib/dkms/m/1.0/5.10.0-gone/x86_64/module/m.ko", "var/lib/dkms/m/1.0/.unbuild-4.19.0-cut/x",
		"var/lib/dkms/m/1.0/build/x", "var/lib/dkms/m/original_module/5.11.0/x86_64/x.ko",
	} {
		f.write(dir, "")
	}
	f.link("1.0/5.4.0-link-rt/x86_64", "var/lib/dkms/m/kernel-5.4.0-link-rt-x86_64")
	f.link("/elsewhere", "lib/modules/9.9-link")
	assert.Equal(t, []Release{
		"6.1.0-test", "6.1.0-10-amd64", "6.1.0-9-amd64", "5.11.0", "5.10.0-gone", "5.4.0-link-rt", "4.19.0-cut",
	}, f.kernels())
	assert.Empty(t, fabricated{t, DefaultLayout(t.TempDir())}.kernels())
}

func TestImageThere(t *testing.T) {
	f := fabricate(t)
	assert.False(t, f.layout.ImageThere(testKernel))
	f.write("boot/vmlinuz-6.1.0-test2", "")
	assert.False(t, f.layout.ImageThere(testKernel))
	f.write("boot/vmlinuz-6.1.0-test", "")
	assert.True(t, f.layout.ImageThere(testKernel))
}
