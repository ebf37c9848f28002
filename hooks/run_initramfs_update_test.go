package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/initramfs/initramfstest"
)

// An initramfs is refused only if it certainly lacks a module that was changed, that the one before
// contained, and that the kernel has.
func TestRefusedInitramfs(t *testing.T) {
	const own, dkms, other, gone = "kernel/drivers/my-disk.ko.xz", "updates/dkms/my-disk.ko", "kernel/fs/other.ko", "updates/dkms/gone.ko"
	archive := func(paths ...string) string {
		files := []initramfstest.File{{Name: "init"}, {Name: "usr/lib/modules/6.2/updates/dkms/my-disk.ko"}}
		for _, path := range paths {
			files = append(files, initramfstest.File{Name: "usr/lib/modules/6.1/" + path, Data: []byte("module")})
		}
		return string(initramfstest.Archive(files...))
	}
	for _, c := range []struct {
		name string
		// before and now are the files, "" for none. broken reports whether the program failed.
		before, now string
		broken      bool
		want        string
	}{
		{"the same", archive(dkms), archive(dkms), false, ""},
		{"the module of dkms in place of the kernel's own", archive(own), archive(dkms), false, ""},
		{"the kernel's own in place of that of dkms", archive(dkms), archive(own), false, ""},
		{"neither", archive(own, other), archive(other), false, "the new one lacks my_disk, which the one before contained"},
		{"a module that was not changed", archive(other), archive(), false, ""},
		{"a module that the kernel does not have", archive(gone), archive(), false, ""},
		{"it was not there before", archive(other), archive(other), false, ""},
		{"the one before cannot be read", "lz4", archive(), false, ""},
		{"the new one cannot be read", archive(own), "lz4", false, ""},
		{"the new one cannot be read, as the program failed", archive(own), "torn", true, "cannot read the initramfs"},
		{"the new one was removed", archive(own), "", true, "cannot read the initramfs"},
		{"the new one was removed, the one before cannot be read", "lz4", "", true, "cannot read the initramfs"},
		{"neither can be read", "lz4", "lz4", true, ""},
		{"the program failed and changed nothing", archive(own), archive(own), true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			write := func(path, text string) string {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
				return path
			}
			write(filepath.Join(l.KernelDir("6.1"), "modules.dep"), dkms+":\n"+other+":\n")
			if c.now != "" {
				write(l.InitramfsPath("6.1"), c.now)
			}
			u := initramfsUpdate{run: &run{inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l}}, names: []string{"my-disk", "gone"}}
			var err error
			u.before, err = u.read(t.Context(), write(filepath.Join(t.TempDir(), "before"), c.before))
			u.known = err == nil
			err = u.refuse(t.Context(), c.broken)
			if c.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestHeldByInitramfs(t *testing.T) {
	u := initramfsUpdate{run: &run{inv: Invocation{Kernel: "6.1"}}, names: []string{"a-b", "c", "d", "e"}}
	u.before = initramfs.Contents{Modules: []initramfs.Module{
		{Kernel: "6.1", Path: "kernel/fs/a_b.ko.zst"}, {Kernel: "6.1", Path: "updates/dkms/c.ko"}, {Kernel: "6.2", Path: "kernel/d.ko"},
	}}
	assert.Equal(t, []string{"a_b", "c"}, u.in(u.before, anywhere))
	assert.Equal(t, []string{"a_b"}, u.in(u.before, ofKernel), "only the kernel's own are listed")
}
