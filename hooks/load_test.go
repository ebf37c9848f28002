package hooks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/initramfs/initramfstest"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/record"
)

const bootKernel = string(dkmstest.Kernel)

// bootRoot returns a root with the module alpha/1, installed on a kernel that GRUB starts with an
// initramfs.
func bootRoot(t *testing.T) (dkmstest.Root, []byte) {
	f := dkmstest.New(t)
	f.KernelOf(1, "y", "1")
	writeImage(f, "#1 SMP Thu Jan 1")
	alpha := dkmsstate.Module{Name: "alpha", Version: "1"}
	f.Register(alpha, "")
	ko := kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)}
	f.InstallOf(alpha, ko)
	f.Write("boot/grub/grub.cfg", "menuentry Debian {\nlinux /vmlinuz-"+bootKernel+" ro\ninitrd /initrd.img-"+bootKernel+"\n}\n")
	writeInitrd(f, nil)
	return f, kmodtest.File(ko, alpha.String())
}

// writeImage makes an x86 image of the kernel.
func writeImage(f dkmstest.Root, build string) {
	image := make([]byte, 0x600)
	copy(image[0x202:], "HdrS")
	image[0x20f] = 3 // the text is at 0x300, behind 0x200
	copy(image[0x500:], bootKernel+" (builder@host) "+build)
	f.Write("boot/vmlinuz-"+bootKernel, string(image))
}

// writeInitrd makes an initramfs with modules, by their path in the directory of the kernel.
func writeInitrd(f dkmstest.Root, modules map[string]string) {
	files := []initramfstest.File{{Name: "init", Data: []byte("#!/bin/sh")}}
	for name, data := range modules {
		files = append(files, initramfstest.File{Name: "usr/lib/modules/" + bootKernel + "/" + name, Data: []byte(data)})
	}
	f.Write("boot/initrd.img-"+bootKernel, string(initramfstest.Archive(files...)))
}

// needs makes modules.dep say that alpha needs another module.
func needs(f dkmstest.Root, other string) {
	dep := "kernel/own.ko:\nupdates/dkms/alpha.ko: " + other + "\n"
	f.Write("lib/modules/"+bootKernel+"/modules.dep", dep)
	f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", dep)
}

// builtToUse installs a build of alpha that uses symbols of other modules.
func builtToUse(f dkmstest.Root, others ...string) {
	f.InstallOf(dkmsstate.Module{Name: "alpha", Version: "1"}, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Depends: others})
}

// line makes GRUB start the kernel with arguments, and without an initramfs.
func line(f dkmstest.Root, arguments string) {
	f.Write("boot/grub/grub.cfg", "menuentry Debian {\nlinux /vmlinuz-"+bootKernel+" ro "+arguments+"\n}\n")
}

// What a module of dkms on the kernel that boots next will be, before the boot. hooks/systemtest
// lets kernels judge.
func TestLoadVerdicts(t *testing.T) {
	const inUpdates = "updates/dkms/alpha.ko"
	other := string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"old": 1}}, "older"))
	for name, c := range map[string]struct {
		change func(f dkmstest.Root, built string)
		want   LoadVerdict
		link   string
		reason string
		exit   int
	}{
		"well":                      {func(dkmstest.Root, string) {}, WillLoad, "", "", 0},
		"the copy in the initramfs": {func(f dkmstest.Root, built string) { writeInitrd(f, map[string]string{inUpdates: built}) }, WillLoad, "", "", 0},
		"a compressed copy": {func(f dkmstest.Root, built string) {
			writeInitrd(f, map[string]string{inUpdates + ".gz": string(kmodtest.Gzip([]byte(built)))})
		}, WillLoad, "", "", 0},
		"an older copy": {func(f dkmstest.Root, _ string) { writeInitrd(f, map[string]string{inUpdates: other}) },
			CannotTell, LinkInitramfs, "an older copy of alpha is in the initramfs", 1},
		"an older copy that it loads": {func(f dkmstest.Root, _ string) {
			writeInitrd(f, map[string]string{inUpdates: other})
			f.Write("etc/initramfs-tools/modules", "alpha\n")
		}, WillNotLoad, LinkInitramfs, "an older copy of alpha is in the initramfs", 1},
		"the kernel's own": {func(f dkmstest.Root, _ string) { writeInitrd(f, map[string]string{"kernel/drivers/alpha.ko": other}) },
			CannotTell, LinkInitramfs, "the initramfs contains another module alpha, kernel/drivers/alpha.ko", 1},
		"both": {func(f dkmstest.Root, built string) {
			writeInitrd(f, map[string]string{"kernel/drivers/alpha.ko": other, inUpdates: built})
		}, WillLoad, "", "", 0},
		"a copy with another signature": {func(f dkmstest.Root, built string) {
			writeInitrd(f, map[string]string{inUpdates: string(kmodtest.Sign([]byte(built), "another"))})
		}, CannotTell, LinkInitramfs, "has another signature", 3},
		"an initramfs of another kind": {func(f dkmstest.Root, _ string) { f.Write("boot/initrd.img-"+bootKernel, "\x02\x21\x4c\x18") },
			CannotTell, LinkInitramfs, "it is neither a cpio archive nor compressed", 3},
		"an initramfs that is missing": {func(f dkmstest.Root, _ string) { f.Remove("boot/initrd.img-" + bootKernel) },
			CannotTell, LinkInitramfs, "which initramfs the boot loader loads is not known", 3},
		"no initramfs": {func(f dkmstest.Root, _ string) {
			f.Write("boot/grub/grub.cfg", "menuentry Debian {\nlinux /vmlinuz-"+bootKernel+" ro\n}\n")
		}, WillLoad, "", "", 0},
		"not installed": {func(f dkmstest.Root, _ string) {
			f.RemoveAll("var/lib/dkms/alpha/1/" + bootKernel)
			f.Remove("var/lib/dkms/alpha/kernel-" + bootKernel + "-x86_64")
			f.Remove(f.InstalledFile("alpha.ko"))
			f.Depmod()
		}, WillNotLoad, LinkInstalled, "it is not installed", 1},
		"installed, and its build is gone": {func(f dkmstest.Root, _ string) { f.RemoveAll("var/lib/dkms/alpha/1/" + bootKernel) },
			CannotTell, LinkInstalled, "it is not installed as it was built", 1},
		"for another ABI": {func(f dkmstest.Root, _ string) { f.KernelOf(2, "y", "2") }, WillNotLoad, LinkInstalled, "symbol", 1},
		"with a signature that the kernel does not take": {func(f dkmstest.Root, _ string) {
			f.Write("boot/config-"+bootKernel, "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n")
		}, WillNotLoad, LinkSignature, "not signed, and this kernel takes only signed modules", 1},
		"on a machine that is not known": {func(f dkmstest.Root, _ string) {
			f.Write("boot/config-"+bootKernel, "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_EFI=y\nCONFIG_SECURITY_LOCKDOWN_LSM=y\nCONFIG_SECURITY_LOCKDOWN_LSM_EARLY=y\nCONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y\n")
		}, CannotTell, LinkSignature, "Secure Boot", 3},
		"install": {func(f dkmstest.Root, _ string) { f.Write("etc/modprobe.d/x.conf", "install alpha /bin/false\n") },
			WillNotLoad, LinkFile, "modprobe runs a command and does not load alpha", 0},
		"install, another command": {func(f dkmstest.Root, _ string) {
			f.Write("etc/modprobe.d/x.conf", "install alpha /sbin/modprobe --ignore-install alpha\n")
		}, CannotTell, LinkFile, "modprobe runs a command", 3},
		"install, and required": {func(f dkmstest.Root, _ string) {
			f.Write("etc/modprobe.d/x.conf", "install alpha /bin/false\n")
			f.Write("etc/dkms-hooks.conf", "Required: alpha\n")
		}, WillNotLoad, LinkFile, "modprobe runs a command", 1},
		"built into the kernel": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/modules.builtin", "kernel/fs/a.ko\nkernel/drivers/alpha.ko\n")
		}, WillNotLoad, LinkFile, "the kernel has alpha built in", 1},
		"no modules once it runs": {func(f dkmstest.Root, _ string) { f.Write("etc/sysctl.d/x.conf", "kernel.modules_disabled = 1\n") },
			CannotTell, LinkFile, "ends the loading of modules", 3},
		"an empty image": {func(f dkmstest.Root, _ string) { f.Write("boot/vmlinuz-"+bootKernel, "") },
			CannotTell, LinkInstalled, "the image of the kernel is empty", 3},
		"an image of another build": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/build/include/generated/utsversion.h", "#define UTS_VERSION \"#1 SMP Thu Jan 1\"\n")
			writeImage(f, "#2 SMP Fri Jan 2")
		}, CannotTell, LinkInstalled, `the image is build "#2 SMP Fri Jan 2", and the headers are of build "#1 SMP Thu Jan 1"`, 3},
		"an image of the same build": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/build/include/generated/utsversion.h", "#define UTS_VERSION \"#1 SMP Thu Jan 1\"\n")
		}, WillLoad, "", "", 0},
		"what it needs is empty": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/kernel/b.ko", "")
			needs(f, "kernel/b.ko")
		}, WillNotLoad, LinkFile, "kernel/b.ko, which is empty", 1},
		"install, and the module": {func(f dkmstest.Root, _ string) {
			f.Write("etc/modprobe.d/x.conf", "install alpha /bin/true && /sbin/modprobe --ignore-install alpha\n")
		}, CannotTell, LinkFile, "modprobe runs a command", 3},
		"alias": {func(f dkmstest.Root, _ string) { f.Write("etc/modprobe.d/x.conf", "alias alpha other\n") },
			CannotTell, LinkFile, "modprobe loads another module by the name alpha", 3},
		"install of what it needs": {func(f dkmstest.Root, _ string) {
			needs(f, "kernel/own.ko")
			f.Write("etc/modprobe.d/x.conf", "install own /bin/false\n")
		}, WillNotLoad, LinkFile, "it needs own.ko: modprobe runs a command", 0},
		"it needs what is of nobody": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/extra/own2.ko", "x")
			needs(f, "extra/own2.ko")
		}, CannotTell, LinkFile, "which is neither the kernel's own nor of dkms", 3},
		"on the command line, with a dash": {func(f dkmstest.Root, _ string) { line(f, "module-blacklist=alpha") }, WillNotLoad, LinkFile, "module_blacklist", 0},
		"on it, quoted":                    {func(f dkmstest.Root, _ string) { line(f, `module_blacklist="alpha"`) }, WillNotLoad, LinkFile, "module_blacklist", 0},
		"on it, replaced":                  {func(f dkmstest.Root, _ string) { line(f, "module_blacklist=alpha module_blacklist=x") }, WillLoad, "", "", 0},
		"on it, for init":                  {func(f dkmstest.Root, _ string) { line(f, "-- module_blacklist=alpha") }, WillLoad, "", "", 0},
		"on it, no modules at all":         {func(f dkmstest.Root, _ string) { line(f, "sysctl.kernel.modules_disabled=1") }, CannotTell, LinkFile, "modules_disabled", 3},
		"dracut adds an older copy": {func(f dkmstest.Root, _ string) {
			writeInitrd(f, map[string]string{inUpdates: other})
			f.Write("etc/dracut.conf.d/x.conf", "add_drivers+=\" alpha \"\nomit_drivers+=\" alpha \"\n")
		}, CannotTell, LinkInitramfs, "an older copy", 1},
		"dracut loads an older copy": {func(f dkmstest.Root, _ string) {
			writeInitrd(f, map[string]string{inUpdates: other})
			f.Write("etc/dracut.conf.d/x.conf", "force_drivers+=\" alpha \"\n")
		}, WillNotLoad, LinkInitramfs, "an older copy", 1},
		"two copies in updates": {func(f dkmstest.Root, built string) {
			writeInitrd(f, map[string]string{"updates/alpha.ko": other, inUpdates: built})
		}, CannotTell, LinkInitramfs, "several modules alpha", 3},
		"the kernel's own before it": {func(f dkmstest.Root, built string) {
			writeInitrd(f, map[string]string{"kernel/drivers/alpha.ko": other, inUpdates: built})
			f.Write("etc/depmod.d/x.conf", "search built-in updates\n")
		}, CannotTell, LinkInitramfs, "several modules alpha", 3},
		"blacklist": {func(f dkmstest.Root, _ string) { f.Write("etc/modprobe.d/x.conf", "blacklist alpha\n") }, WillLoad, "", "", 0},
		"an alias": {func(f dkmstest.Root, _ string) { f.Write("etc/modprobe.d/x.conf", "alias alpha other\n") },
			CannotTell, LinkFile, "modprobe loads another module by the name alpha", 3},
		"on the command line": {func(f dkmstest.Root, _ string) {
			f.Write("boot/grub/grub.cfg", "menuentry Debian {\nlinux /vmlinuz-"+bootKernel+" ro module_blacklist=x,alpha\n}\n")
		}, WillNotLoad, LinkFile, "module_blacklist", 0},
		"another file": {func(f dkmstest.Root, _ string) {
			f.Write("etc/depmod.d/x.conf", "override alpha * kernel\n")
			f.Write("lib/modules/"+bootKernel+"/kernel/alpha.ko", other)
			f.Write("lib/modules/"+bootKernel+"/modules.dep", "kernel/own.ko:\nkernel/alpha.ko:\n")
			f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", "kernel/own.ko:\nkernel/alpha.ko:\n")
		}, WillNotLoad, LinkFile, "another file is loaded in its place", 0},
		"modules.dep is out of date": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/modules.dep", "kernel/own.ko:\n")
			f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", "kernel/own.ko:\n")
		}, CannotTell, LinkFile, "modules.dep is out of date", 1},
		"what it was built to use was deleted, and depmod run": {func(f dkmstest.Root, _ string) {
			builtToUse(f, "gone")
			f.Write("lib/modules/"+bootKernel+"/modules.order", "kernel/own.ko\nkernel/gone.ko\n")
		}, CannotTell, LinkFile, "alpha.ko was built to use the module gone, which modules.dep does not name among what it needs", 3},
		"what it was built to use is built in now": {func(f dkmstest.Root, _ string) {
			builtToUse(f, "gone")
			f.Write("lib/modules/"+bootKernel+"/modules.order", "kernel/own.ko\nkernel/gone.ko\n")
			f.Write("lib/modules/"+bootKernel+"/modules.builtin", "kernel/gone.ko\n")
		}, WillLoad, "", "", 0},
		"another module was deleted, and depmod run": {func(f dkmstest.Root, _ string) {
			f.Write("lib/modules/"+bootKernel+"/modules.order", "kernel/own.ko\nkernel/gone.ko\n")
		}, WillLoad, "", "", 0},
		"what it was built to use is there": {func(f dkmstest.Root, _ string) {
			builtToUse(f, "own")
			needs(f, "kernel/own.ko")
			f.Write("lib/modules/"+bootKernel+"/modules.order", "kernel/own.ko\nkernel/gone.ko\n")
		}, WillLoad, "", "", 0},
		"what it needs is missing": {func(f dkmstest.Root, _ string) {
			dep := "kernel/own.ko:\nupdates/dkms/alpha.ko: kernel/gone.ko\n"
			f.Write("lib/modules/"+bootKernel+"/modules.dep", dep)
			f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", dep)
		}, WillNotLoad, LinkFile, "it needs /lib/modules/" + bootKernel + "/kernel/gone.ko, which does not exist", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, built := bootRoot(t)
			c.change(f, string(built))
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
			require.NoError(t, err)
			check, err := ReadBootCheck(t.Context(), inv)
			require.NoError(t, err)
			require.Equal(t, dkmstest.Kernel, check.Kernel, check.NextBootText())
			modules := check.Modules()
			require.Len(t, modules, 1, "%+v", check.Overview)
			v := modules[0].Load
			assert.Equal(t, c.want, v.Verdict, v.Reason)
			assert.Contains(t, v.Reason, c.reason)
			for _, l := range v.Links {
				assert.Equal(t, l.Link == c.link, l.Verdict != WillLoad, "%+v", l)
			}
			assert.Equal(t, c.exit, check.Status(), "%+v %v", check.Findings, check.Troubles)

			assert.NoDirExists(t, f.Layout.Path(dkmsstate.StateDir), "an image is not changed")
			inv.Kernel = dkmsstate.Release(bootKernel)
			require.NoError(t, ReadInitramfs(t.Context(), inv))
			inv.Kernel = ""
			again, err := ReadOverview(t.Context(), inv)
			require.NoError(t, err)
			assert.Equal(t, v, again.Kernels[0].Modules[0].Load, "the record has what was read of the initramfs")
		})
	}
}

// An initramfs that cannot be read now is not one whose contents are unknown for good.
func TestLookThatFailed(t *testing.T) {
	f, _ := bootRoot(t)
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
	require.NoError(t, err)
	f.Remove("boot/initrd.img-" + bootKernel)
	require.NoError(t, os.Mkdir(filepath.Join(f.Layout.Root, "boot/initrd.img-"+bootKernel), 0o755))
	check, err := ReadBootCheck(t.Context(), inv)
	require.NoError(t, err)
	assert.Contains(t, check.Modules()[0].Load.Reason, "not a regular file")
	inv.Kernel = dkmstest.Kernel
	require.ErrorContains(t, ReadInitramfs(t.Context(), inv), "not a regular file")
	_, known := record.ReadLook(f.Layout, dkmstest.Kernel)
	assert.False(t, known)
}

// A module that needs another one of dkms does not load if that one does not.
func TestLoadNeeds(t *testing.T) {
	f, _ := bootRoot(t)
	beta := dkmsstate.Module{Name: "beta", Version: "1"}
	f.Register(beta, "")
	f.InstallOf(beta, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
	dep := "kernel/own.ko:\nupdates/dkms/beta.ko: updates/dkms/alpha.ko\nupdates/dkms/alpha.ko:\n"
	f.Write("lib/modules/"+bootKernel+"/modules.dep", dep)
	f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", dep)
	f.Write("etc/modprobe.d/x.conf", "install alpha /bin/false\n")
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
	require.NoError(t, err)
	check, err := ReadBootCheck(t.Context(), inv)
	require.NoError(t, err)
	modules := check.Modules()
	require.Len(t, modules, 2)
	assert.Equal(t, WillNotLoad, modules[1].Load.Verdict)
	assert.Contains(t, modules[1].Load.Reason, "it needs alpha.ko: modprobe runs a command")
}

// A module of dkms that another one uses was built again: the record of the other one does not show it.
func TestLoadNeedsAnotherBuild(t *testing.T) {
	f, _ := bootRoot(t)
	alpha, beta := dkmsstate.Module{Name: "alpha", Version: "1"}, dkmsstate.Module{Name: "beta", Version: "1"}
	ko := kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"sym": 5}}
	f.InstallOf(alpha, ko)
	f.Register(beta, "")
	f.InstallOf(beta, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: map[string]uint32{"module_layout": 1, "sym": 5}})
	dep := "kernel/own.ko:\nupdates/dkms/beta.ko: updates/dkms/alpha.ko\nupdates/dkms/alpha.ko:\n"
	f.Write("lib/modules/"+bootKernel+"/modules.dep", dep)
	f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", dep)
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
	require.NoError(t, err)
	verdict := func() *LoadView {
		check, err := ReadBootCheck(t.Context(), inv)
		require.NoError(t, err)
		return check.Modules()[1].Load
	}
	assert.Equal(t, WillLoad, verdict().Verdict, verdict().Reason)

	_, rec := f.Examine(fresh.Examine, dkmsstate.KernelRecord{}) // beta is recorded as fresh
	require.NoError(t, record.Write(f.Layout, dkmsstate.Record{}.With(dkmstest.Kernel, rec)))
	ko.Exports["sym"] = 6
	f.InstallOf(alpha, ko)
	f.Write("lib/modules/"+bootKernel+"/modules.dep", dep)
	f.Write("lib/modules/"+bootKernel+"/modules.dep.bin", dep)
	assert.Equal(t, WillNotLoad, verdict().Verdict)
	assert.Contains(t, verdict().Reason, "it was built for another alpha.ko: symbol sym differs")
}

// An initramfs that was made again is not known until it is read, and status does not read it.
func TestLookIsOutOfDate(t *testing.T) {
	f, built := bootRoot(t)
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
	require.NoError(t, err)
	verdict := func() LoadView {
		o, err := ReadOverview(t.Context(), inv)
		require.NoError(t, err)
		return *o.Kernels[0].Modules[0].Load
	}
	assert.Contains(t, verdict().Reason, "the initramfs was not read since it was made")
	inv.Kernel = dkmstest.Kernel
	require.NoError(t, ReadInitramfs(t.Context(), inv))
	assert.Equal(t, WillLoad, verdict().Verdict)
	writeInitrd(f, map[string]string{"updates/dkms/alpha.ko": string(built)})
	assert.Equal(t, CannotTell, verdict().Verdict)
	require.NoError(t, ReadInitramfs(t.Context(), inv))
	assert.Equal(t, WillLoad, verdict().Verdict)

	// The installed file changes: the copy in the initramfs is the old one.
	newer := string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)}, strings.Repeat("newer", 3)))
	f.Write(f.BuildFile(dkmsstate.Module{Name: "alpha", Version: "1"}), newer)
	f.Write(f.InstalledFile("alpha.ko"), newer)
	assert.NotEqual(t, WillLoad, verdict().Verdict)
	_, err = os.Stat(filepath.Join(f.Layout.Root, "var/lib/dkms-hooks/initramfs-contents", bootKernel))
	assert.NoError(t, err)
}

// An owner who lets no program update the initramfs is told which setting that is, and what makes one
// all the same.
func TestOldInitramfsThatIsNotUpdated(t *testing.T) {
	const conf, program = "etc/initramfs-tools/update-initramfs.conf", "usr/sbin/mkinitramfs"
	other := string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"old": 1}}, "older"))
	for setting, want := range map[string][2]string{
		"yes": {"an older copy of alpha is in the initramfs", "update-initramfs -u -k " + bootKernel},
		"no": {"an older copy of alpha is in the initramfs, which is not updated: update_initramfs=no in /etc/initramfs-tools/update-initramfs.conf",
			"update-initramfs -c -k " + bootKernel + " # -u writes nothing with update_initramfs=no"},
	} {
		t.Run(setting, func(t *testing.T) {
			f, _ := bootRoot(t)
			f.Write(conf, "update_initramfs="+setting+"\n")
			f.Write(program, "")
			f.Write("usr/sbin/update-initramfs", "")
			f.Write("etc/initramfs-tools/modules", "alpha\n")
			writeInitrd(f, map[string]string{"updates/dkms/alpha.ko": other})
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + f.Layout.Root})
			require.NoError(t, err)
			inv.Kernel = dkmstest.Kernel
			require.NoError(t, ReadInitramfs(t.Context(), inv))
			inv.Kernel = ""
			o, err := ReadOverview(t.Context(), inv)
			require.NoError(t, err)
			i := slices.IndexFunc(o.Findings, func(finding Finding) bool { return finding.Kind == OldInitramfs })
			require.GreaterOrEqual(t, i, 0, "%+v", o.Findings)
			assert.Equal(t, want[0], o.Findings[i].Reason)
			assert.Equal(t, "chroot "+f.Layout.Root+" "+want[1], o.Findings[i].Fix)

			var out strings.Builder
			u := initramfsUpdate{names: []string{"alpha"}, run: &run{inv: Invocation{Kernel: dkmstest.Kernel}, machine: apply.Machine{Layout: f.Layout},
				report: newReport(&out, Invocation{Kernel: dkmstest.Kernel})}}
			if setting == "no" {
				assert.Empty(t, u.why(t.Context()))
				assert.Contains(t, out.String(), "is left as it is, as update_initramfs=no in /etc/initramfs-tools/update-initramfs.conf asks, although booting needs alpha")
			} else {
				assert.Equal(t, "booting needs alpha", u.reason(t.Context()))
			}
		})
	}
}
