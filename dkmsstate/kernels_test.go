package dkmsstate_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/vmlinuz"
)

func TestKernelsAreTheNewestFirst(t *testing.T) {
	f := dkmstest.New(t)
	for _, dir := range []string{
		"lib/modules/6.1.0-9-amd64/x", "lib/modules/6.1.0-10-amd64/x", "lib/modules/not-one/x", "lib/modules/..x/x",
		"var/lib/dkms/m/1.0/5.10.0-gone/x86_64/module/m.ko", "var/lib/dkms/m/1.0/.unbuild-4.19.0-cut/x",
		"var/lib/dkms/m/1.0/build/x", "var/lib/dkms/m/original_module/5.11.0/x86_64/x.ko",
	} {
		f.Write(dir, "")
	}
	f.Link("1.0/5.4.0-link-rt/x86_64", "var/lib/dkms/m/kernel-5.4.0-link-rt-x86_64")
	f.Link("/elsewhere", "lib/modules/9.9-link")
	assert.Equal(t, []dkmsstate.Release{
		"6.1.0-test", "6.1.0-10-amd64", "6.1.0-9-amd64", "5.11.0", "5.10.0-gone", "5.4.0-link-rt", "4.19.0-cut",
	}, f.Kernels())
	assert.Empty(t, dkmstest.Root{T: t, Layout: dkmsstate.DefaultLayout(t.TempDir())}.Kernels())
}

func TestImageThere(t *testing.T) {
	f := dkmstest.New(t)
	assert.False(t, f.Layout.ImageThere(dkmstest.Kernel))
	f.Write("boot/vmlinuz-6.1.0-test2", "")
	assert.False(t, f.Layout.ImageThere(dkmstest.Kernel))
	for _, path := range vmlinuz.Paths(string(dkmstest.Kernel)) {
		f.Write(path, "")
		assert.True(t, f.Layout.ImageThere(dkmstest.Kernel), path)
		require.NoError(t, os.Remove(f.Layout.Path(path)))
	}
	for path, there := range map[string]bool{
		"boot/efi/debian/6.1.0-test/linux": true, "efi/4a6e/6.1.0-test/linux": true, "boot/debian/6.1.0-test2/linux": false,
		"boot/efi/EFI/Linux/debian-6.1.0-test.efi": true, "efi/EFI/Linux/4a6e-6.1.0-test+3.efi": true, "efi/EFI/Linux/4a6e-6.1.0-test+2-1.efi": true,
		"efi/EFI/Linux/6.1.0-test.efi": true, "efi/EFI/Linux/debian-6.1.0-test.signed.efi": true, "efi/EFI/Linux/linux-6.1.0-test-4a6e-1.efi": true, // of dracut(8)
		"efi/EFI/Linux/debian-6.1.0-test2.efi": false, "efi/EFI/Linux/debian-6.1.0-test.1.efi": false, "efi/EFI/Linux/debian-16.1.0-test.efi": false,
		"efi/EFI/Linux/debian-5.6.1.0-test.efi": false, "efi/EFI/Linux/debian-6.1.0-test.efi.bak": false,
	} {
		f.Write(path, "")
		assert.Equal(t, there, f.Layout.ImageThere(dkmstest.Kernel), path)
		require.NoError(t, os.Remove(f.Layout.Path(path)))
	}
}

// A kernel is there if it has modules of its own. What dkms installed among them does not count. Nothing
// but directories may be what a removal left.
func TestModulesThere(t *testing.T) {
	const dir = "lib/modules/5.4.0-gone/"
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	for name, row := range map[string]struct {
		files []string
		empty bool
		want  bool
		dirs  bool
	}{
		"nothing":                          {nil, false, false, false},
		"a module":                         {[]string{"kernel/net/own.ko.xz"}, false, true, false},
		"one of dkms":                      {[]string{"kernel/net/m.ko"}, false, false, false},
		"one of dkms among others":         {[]string{"kernel/net/m.ko", "kernel/net/own.ko"}, false, true, false},
		"only directories":                 {[]string{"kernel/net/m.ko"}, true, true, true},
		"a list of modules, and none left": {[]string{"modules.order", "kernel/net/m.ko"}, true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(m, "")
			f.Write("var/lib/dkms/m/1.0/5.4.0-gone/x86_64/module/m.ko", "m")
			for _, file := range row.files {
				f.Write(dir+file, "x")
			}
			if row.empty {
				f.Remove(dir + row.files[len(row.files)-1])
			}
			assert.Equal(t, row.want, f.Layout.ModulesThere("5.4.0-gone"))
			assert.Equal(t, row.dirs, f.Layout.OnlyDirectories("5.4.0-gone"))
		})
	}
}
