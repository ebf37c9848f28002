package hooks

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/initramfs/initramfstest"
	"dkms-hooks/dkmsstate/record"
)

// An initramfs is refused only if it certainly lacks a module that was changed, that the one before
// contained, that the kernel has, and that is not left out by the machine's owner.
func TestRefusedInitramfs(t *testing.T) {
	const own, ofDKMS, other, gone = "kernel/drivers/my-disk.ko.xz", "updates/dkms/my-disk.ko", "kernel/fs/other.ko", "updates/dkms/gone.ko"
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
		{"the same", archive(ofDKMS), archive(ofDKMS), false, ""},
		{"the module of dkms in place of the kernel's own", archive(own), archive(ofDKMS), false, ""},
		{"the kernel's own in place of that of dkms", archive(ofDKMS), archive(own), false, ""},
		{"neither", archive(own, other), archive(other), false, "the new one lacks my_disk, which the one before contained"},
		{"one of dkms alone, which its owner may have left out", archive(ofDKMS), archive(other), false, ""},
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
			write(filepath.Join(l.KernelDir("6.1"), "modules.dep"), ofDKMS+":\n"+other+":\n")
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

// initramfsMaker makes an initramfs: it writes a text, unless that is "", and fails. Before that, like
// update-initramfs(8), it makes another link to the present one.
type initramfsMaker struct {
	dkms.NoEngine
	path, text string
	err        error
}

func (e initramfsMaker) Initramfs(context.Context, dkmsstate.Release, io.Writer) error {
	if err := errors.Join(os.Link(e.path, e.path+".dpkg-bak"), os.Remove(e.path+".dpkg-bak")); err != nil {
		return err
	}
	if e.text != "" {
		return errors.Join(os.WriteFile(e.path, []byte(e.text), 0o644), e.err)
	}
	return e.err
}

func (e initramfsMaker) AfterInitramfs(context.Context, dkmsstate.Release, io.Writer) error {
	return nil
}

// An initramfs that was made is not said to be the old one if what is run after it fails.
func TestInitramfsThatWasMade(t *testing.T) {
	archive := func(data string) string {
		return string(initramfstest.Archive(initramfstest.File{Name: "usr/lib/modules/6.1/updates/dkms/a.ko", Data: []byte(data)}))
	}
	failed := errors.New("run-parts: /etc/initramfs/post-update.d/copy exited with return code 1")
	for name, c := range map[string]struct {
		now  string
		err  error
		want string
	}{
		"it was made":                       {archive("new one"), nil, ""},
		"a hook of a boot loader failed":    {archive("new one"), failed, made + failed.Error()},
		"the program failed before that":    {"", failed, failed.Error()},
		"the program was ended as it wrote": {archive("new one")[:100], failed, failed.Error()},
		"nothing was written":               {"", nil, "it was not written"},
	} {
		t.Run(name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			path := l.InitramfsPath("6.1")
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(archive("old")), 0o644))
			u := initramfsUpdate{run: &run{inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l}}, names: []string{"a"},
				engine: initramfsMaker{path: path, text: c.now, err: c.err}, log: record.NewInitramfsLog(l, "6.1")}
			var err error
			u.before, err = u.read(t.Context(), path)
			require.NoError(t, err)
			u.known = true
			err = u.replace(t.Context())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.Equal(t, strings.HasPrefix(c.want, made), strings.HasPrefix(err.Error(), made))
			work := unfinished{owed: true, initramfs: dkmsstate.OwedNote{Reason: err.Error()}}
			assert.Equal(t, !strings.HasPrefix(c.want, made), strings.Contains(work.initramfsText(), "may contain a module"), work.initramfsText())
		})
	}
}

// A module of dkms that the new initramfs lacks belongs there if it is listed, or if it took the place
// of one of the kernel's own and modules are chosen by their directory.
func TestBelongsToInitramfs(t *testing.T) {
	const list, conf, program = "etc/initramfs-tools/modules", "etc/initramfs-tools/initramfs.conf", "usr/sbin/mkinitramfs"
	const held = "var/lib/dkms-hooks/initramfs-held/6.1"
	original := map[string]string{
		"usr/src/disk-1.0/dkms.conf":                              "PACKAGE_NAME=disk\n",
		"lib/modules/6.1/updates/dkms/my-disk.ko":                 "of dkms",
		"lib/modules/6.1/modules.order":                           "kernel/drivers/my-disk.ko\n",
		"var/lib/dkms/disk/1.0/6.1/x86_64/module/my-disk.ko":      "of dkms",
		"var/lib/dkms/disk/original_module/6.1/x86_64/my-disk.ko": "of the kernel",
	}
	for name, c := range map[string]struct {
		files  map[string]string
		before string
		want   bool
	}{
		"of dkms alone":                     {nil, "updates/dkms/my-disk.ko", false},
		"the kernel's own":                  {nil, "kernel/my-disk.ko", true},
		"the kernel's own, listed by owner": {map[string]string{program: "", conf: "MODULES=list"}, "kernel/my-disk.ko", false},
		"the kernel's own, by hardware":     {map[string]string{program: "", conf: "MODULES=dep"}, "kernel/my-disk.ko", false},
		"listed":                            {map[string]string{program: "", conf: "MODULES=list", list: "my_disk\n"}, "updates/dkms/my-disk.ko", true},
		"no longer listed":                  {map[string]string{program: "", conf: "MODULES=most", list: "#my_disk\n"}, "updates/dkms/my-disk.ko", false},
		"held before":                       {map[string]string{program: "", conf: "MODULES=most", held: "my_disk\n"}, "updates/dkms/my-disk.ko", true},
		"another was held":                  {map[string]string{held: "disk\n"}, "updates/dkms/my-disk.ko", false},
		"dkms moved the kernel's own":       {original, "updates/dkms/my-disk.ko", true},
	} {
		t.Run(name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			for file, text := range c.files {
				path := filepath.Join(l.Root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			if name == "dkms moved the kernel's own" {
				for link, target := range map[string]string{"kernel-6.1-x86_64": "1.0/6.1/x86_64", "1.0/source": "/usr/src/disk-1.0"} {
					require.NoError(t, os.Symlink(target, filepath.Join(l.Root, "var/lib/dkms/disk", link)))
				}
			}
			survey, err := l.Survey()
			require.NoError(t, err)
			u := initramfsUpdate{names: []string{"my-disk"}, run: &run{inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l},
				after: survey.Snapshot("6.1", "x86_64", dkmsstate.KernelRecord{})}}
			u.before = initramfs.Contents{Modules: []initramfs.Module{{Kernel: "6.1", Path: c.before}}}
			assert.Equal(t, c.want, u.belongs("my_disk"))
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

// An initramfs that was refused is not made again by each run of dpkg. The note of a kernel whose
// initramfs is gone ends, as any other does.
func TestRefusedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		reason, script string
		there, want    bool
	}{
		"refused":               {lacks + "m", "postinst", true, true},
		"a person asks":         {lacks + "m", "", true, false},
		"it failed":             {"no space", "postinst", true, false},
		"its initramfs is gone": {lacks + "m", "postinst", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			if c.there {
				require.NoError(t, os.MkdirAll(l.Path("/boot"), 0o755))
				require.NoError(t, os.WriteFile(l.InitramfsPath("6.1"), nil, 0o644))
			}
			r := &run{reconciling: true, inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l}}
			r.inv.Script.Name = c.script
			assert.Equal(t, c.want, r.refusedBefore(dkmsstate.OwedNote{Reason: c.reason}))
		})
	}
}

// With dkms 2.8, which makes the initramfs for a module that it installs if the dkms.conf says so, the
// initramfs is updated for such a module.
func TestModulesThatAskForAnInitramfs(t *testing.T) {
	for name, c := range map[string]struct {
		dkms, conf, changed string
		want                []string
	}{
		"yes":             {"make_initrd()", "REMAKE_INITRD=\"yes\"\n", "disk", []string{"m/1.0"}},
		"Y":               {"make_initrd()", "REMAKE_INITRD=Y\n", "disk", []string{"m/1.0"}},
		"no":              {"make_initrd()", "REMAKE_INITRD=\"no\"\n", "disk", []string{}},
		"not set":         {"make_initrd()", "", "disk", []string{}},
		"another changed": {"make_initrd()", "REMAKE_INITRD=yes\n", "other", []string{}},
		"dkms 3":          {"REMAKE_INITRD has been deprecated", "REMAKE_INITRD=yes\n", "disk", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"usr/sbin/dkms":                                "override_dest_module_location\n" + c.dkms,
				"usr/src/m-1.0/dkms.conf":                      "PACKAGE_NAME=m\n" + c.conf,
				"lib/modules/6.1/updates/dkms/disk.ko":         "m",
				"lib/modules/6.1/kernel/own.ko":                "m",
				"var/lib/dkms/m/1.0/6.1/x86_64/module/disk.ko": "m",
			} {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
			}
			for link, target := range map[string]string{"kernel-6.1-x86_64": "1.0/6.1/x86_64", "1.0/source": "/usr/src/m-1.0"} {
				require.NoError(t, os.Symlink(target, filepath.Join(root, "var/lib/dkms/m", link)))
			}
			l, _ := dkmsstate.ReadLayout(root)
			survey, err := l.Survey()
			require.NoError(t, err)
			u := initramfsUpdate{names: []string{c.changed}, run: &run{inv: Invocation{Kernel: "6.1"}, machine: apply.Machine{Layout: l},
				after: survey.Snapshot("6.1", "x86_64", dkmsstate.KernelRecord{})}}
			assert.Equal(t, c.want, u.asking())
		})
	}
}
