package bootloader

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// ubootMenu is extlinux.conf as u-boot-menu of Debian 13 writes it.
func ubootMenu(value string, releases ...string) string {
	text := "## /boot/extlinux/extlinux.conf\n\ndefault " + value + "\nmenu title U-Boot menu\nprompt 1\ntimeout 50\n\n"
	for i, k := range releases {
		label := "l" + string(rune('0'+i))
		text += "\nlabel " + label + "\n\tmenu label Debian GNU/Linux 13 (trixie) " + k + "\n\tlinux /boot/vmlinuz-" + k +
			"\n\tinitrd /boot/initrd.img-" + k + "\n\tfdtdir /usr/lib/linux-image-" + k + "/\n\t\n\tappend root=UUID=1b2d ro quiet\n"
		text += "\nlabel " + label + "r\n\tlinux /boot/vmlinuz-" + k + "\n\tappend root=UUID=1b2d ro single\n"
	}
	return text
}

func TestExtlinux(t *testing.T) {
	const k2, k1 = "6.12.63+deb13-arm64", "6.12.9-arm64"
	for name, c := range map[string]struct {
		text string
		want dkmsstate.Release
		line string
		why  string
	}{
		"the default":           {ubootMenu("l0", k2, k1), k2, "root=UUID=1b2d ro quiet", `the default "l0" of /boot/extlinux/extlinux.conf`},
		"another":               {ubootMenu("l1r", k2, k1), k1, "root=UUID=1b2d ro single", ""},
		"one that is not there": {ubootMenu("l7", k2, k1), "", "", `it has 0 labels "l7"`},
		"both":                  {"default a\nlabel a\nkernel /vmlinuz-" + k1 + "\nlabel b\nmenu default\nkernel /vmlinuz-" + k2, "", "", `"default" is "a", and "menu default" is "b"`},
		"a relative path":       {"default a\nlabel a\nkernel ../vmlinuz-" + k1, k1, "", ""},
		"arguments for all":     {"default a\nappend quiet\nlabel a\nlinux /vmlinuz-" + k1, k1, "quiet", ""},
		"arguments for none":    {"default a\nappend quiet\nlabel a\nappend -\nlinux /vmlinuz-" + k1, k1, "", ""},
		"a program":             {"default a\nlabel a\nkernel menu.c32", "", "", "the image /menu.c32 does not exist"},
		"no kernel":             {"default a\nlabel a\nmenu label x", "", "", "starts no kernel"},
		"another file":          {"include x.conf\nlabel a\nkernel /vmlinuz-" + k1, "", "", `"include" is not supported`},
		"a submenu":             {"menu begin x\nlabel a\nkernel /vmlinuz-" + k1, "", "", `"menu begin" is not supported`},
		"a disk":                {"label a\nlocalboot 0", "", "", `"localboot" is not supported`},
		"nothing":               {"", "", "", "it has no labels"},
	} {
		t.Run(name, func(t *testing.T) {
			got := machine(t, kernels(k1, k2), files{"/boot/extlinux/extlinux.conf": c.text}).Next()
			assert.Equal(t, c.want, got.Kernel, got.Reason)
			assert.Equal(t, c.line, got.Cmdline)
			assert.Equal(t, c.want != "" && name != "arguments for all", got.CmdlineComplete, "U-Boot ignores arguments for all")
			assert.Contains(t, got.Reason, c.why)
		})
	}
}

// Without a default U-Boot starts a label, and extlinux waits.
func TestExtlinuxWithoutDefault(t *testing.T) {
	const k2, k1 = "6.12.63+deb13-arm64", "6.12.9-arm64"
	for text, want := range map[string]dkmsstate.Release{
		"label a\nkernel /vmlinuz-" + k1 + "\nlabel b\nkernel /vmlinuz-" + k2:               k1,
		"label a\nkernel /vmlinuz-" + k1 + "\nlabel b\nmenu default\nkernel /vmlinuz-" + k2: k2,
	} {
		got := machine(t, kernels(k1, k2), files{"/boot/extlinux/extlinux.conf": text}).Next()
		if runtime.GOARCH == "amd64" || runtime.GOARCH == "386" {
			assert.Equal(t, Unknown, got.Certainty)
			assert.Contains(t, got.Reason, "has no default")
			continue
		}
		assert.Equal(t, want, got.Kernel, got.Reason)
	}
}

func FuzzExtlinux(f *testing.F) {
	f.Add(ubootMenu("l0", "6.1"))
	f.Add("menu default\nlabel\nappend -")
	f.Fuzz(func(t *testing.T, text string) { _, _, _ = parseExtlinux(text) })
}

func TestProxmox(t *testing.T) {
	const k2, k1 = "6.8.12-43-pve", "6.8.12-1-pve"
	tool := files{"/etc/kernel/proxmox-boot-uuids": "A1B2-C3D4\n", "/boot/grub/grub.cfg": "menuentry x {\nlinux /vmlinuz-5.4\n}"}
	grub := files{"/boot/grub/grub.cfg": debianGrub("1>2", k2, k1)}
	pin := files{"/etc/kernel/proxmox-boot-pin": k1 + "\n"}
	for name, c := range map[string]struct {
		files     []files
		want      dkmsstate.Release
		certainty Certainty
		source    string
	}{
		"pinned":                   {[]files{tool, pin}, k1, Decided, "/etc/kernel/proxmox-boot-pin"},
		"pinned for the next boot": {[]files{tool, pin, {"/etc/kernel/next-boot-pin": k2 + "\n"}}, k2, Decided, "/etc/kernel/next-boot-pin"},
		"not pinned":               {[]files{tool}, k2, Newest, ""},
		"an empty pin":             {[]files{tool, {"/etc/kernel/next-boot-pin": "\n"}}, k2, Newest, ""},
		"a removed kernel":         {[]files{tool, {"/etc/kernel/proxmox-boot-pin": "5.15-pve"}}, "", Unknown, ""},
		"no release":               {[]files{tool, {"/etc/kernel/proxmox-boot-pin": "../x"}}, "", Unknown, ""},
		"GRUB":                     {[]files{grub, pin}, k1, Decided, "/boot/grub/grub.cfg"},
		"GRUB, not updated":        {[]files{grub, {"/etc/kernel/proxmox-boot-pin": k2}}, "", Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := machine(t, append(c.files, kernels(k1, k2))...).Next()
			assert.Equal(t, c.want, got.Kernel, got.Reason)
			assert.Equal(t, c.certainty, got.Certainty)
			assert.Equal(t, c.source, got.Source)
		})
	}
}

func TestRaspberry(t *testing.T) {
	const v8, k2712 = "6.12.34+rpt-rpi-v8", "6.12.34+rpt-rpi-2712"
	const pi4, pi5 = "Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 5 Model B Rev 1.0"
	const config = "/boot/firmware/config.txt"
	big := strings.Repeat("x", 100<<10)
	base := files{"/boot/vmlinuz-" + v8: big + "8" + big, "/boot/vmlinuz-" + k2712: big + "2" + big, "/boot/firmware/kernel8.img": big + "8" + big,
		"/boot/firmware/kernel_2712.img": big + "2" + big, "/boot/firmware/cmdline.txt": "console=tty1 root=PARTUUID=1\n"}
	for name, c := range map[string]struct {
		config, model string
		more          files
		want          dkmsstate.Release
		reason        string
	}{
		"Pi 5":                     {"arm_64bit=1\n", pi5, nil, k2712, "a " + pi5 + " starts kernel_2712.img"},
		"Pi 4":                     {"arm_64bit=1\n", pi4, nil, v8, ""},
		"Pi 4, by itself":          {"", pi4, nil, v8, ""},
		"Pi 4, 32 bits":            {"arm_64bit=0\n", pi4, nil, "", "/boot/firmware/kernel7l.img does not exist"},
		"Pi 500":                   {"", "Raspberry Pi 500 Rev 1.0", nil, k2712, ""},
		"Pi 3":                     {"arm_64bit=1", "Raspberry Pi 3 Model B Plus Rev 1.3", nil, v8, ""},
		"an unknown board":         {"", "Raspberry Pi 9", nil, "", "the model of the board, which selects the kernel, is not known"},
		"a setting":                {"kernel=kernel8.img", pi5, nil, v8, "kernel= in config.txt is kernel8.img"},
		"a setting for a board":    {"[pi5]\nkernel=kernel8.img\n[all]\n", pi5, nil, v8, ""},
		"a setting for another":    {"[pi4]\nkernel=kernel8.img\n[cm5]\nkernel=x\n", pi5, nil, k2712, ""},
		"the last setting":         {"kernel=x\n[pi5] # five\nkernel = kernel8.img", pi5, nil, v8, ""},
		"on a pin":                 {"[gpio4=1]\nkernel=kernel8.img", pi5, nil, "", "kernel depends on a condition that is not known"},
		"on a pin, for another":    {"[pi4]\n[gpio4=1]\nkernel=kernel8.img", pi5, nil, k2712, ""},
		"for everyone again":       {"[gpio4=1]\nkernel=x\n[all]\nkernel=kernel8.img", pi5, nil, v8, ""},
		"a try":                    {"[tryboot]\nkernel=x", pi5, nil, k2712, ""},
		"no board":                 {"[none]\nkernel=x", pi5, nil, k2712, ""},
		"another file":             {"include more.txt", pi5, nil, "", `"include more.txt" is not supported`},
		"a name with its release":  {"kernel=vmlinuz-" + v8, pi5, files{"/boot/firmware/vmlinuz-" + v8: "x"}, v8, ""},
		"a prefix":                 {"os_prefix=current/\nkernel=vmlinuz", pi5, files{"/boot/firmware/current/vmlinuz": big + "8" + big, "/boot/firmware/current/cmdline.txt": "console=tty1 root=PARTUUID=1"}, v8, ""},
		"U-Boot":                   {"kernel=u-boot.bin", pi5, files{"/boot/firmware/u-boot.bin": "x"}, "", "is not a copy of any image in /boot"},
		"two kernels with one":     {"", pi5, files{"/boot/vmlinuz-6.1-twin": big + "2" + big}, "", "is a copy of the kernels"},
		"an older copy":            {"", pi5, files{"/boot/firmware/kernel_2712.img": big + "3" + big}, "", "is not a copy"},
		"a selection of partition": {"", pi5, files{"/boot/firmware/autoboot.txt": "[all]\nboot_partition=2"}, "", "autoboot.txt selects a partition"},
		"another board":            {"", "Radxa ROCK 5B", nil, v8, "no boot loader is configured"},
		"an image of a system":     {"", "", nil, "", "the model of the board"},
		"one with a setting":       {"kernel=kernel8.img", "", nil, v8, ""},
	} {
		t.Run(name, func(t *testing.T) {
			all := files{}
			for _, set := range []files{kernels(v8, k2712), base, {config: c.config}, c.more} {
				for file, data := range set {
					all[file] = data
				}
			}
			if c.model != "" {
				all["/sys/firmware/devicetree/base/model"] = c.model + "\x00"
			}
			m := machine(t, all)
			m.Booted = c.model != ""
			got := m.Next()
			assert.Equal(t, c.want, got.Kernel, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
			if c.want != "" && got.Certainty == Decided {
				assert.Equal(t, "console=tty1 root=PARTUUID=1", got.Cmdline)
			}
		})
	}
}

func FuzzRaspberry(f *testing.F) {
	f.Add("[pi5]\nkernel=a\n[gpio4=1]\n[all]\nos_prefix=x/", "Raspberry Pi 5")
	f.Fuzz(func(t *testing.T, text, model string) {
		if set, err := parseRaspberry(text, model); err == nil {
			_, _, _ = set.image(model, true)
		}
	})
}

// A kernel that kexec starts is not that of the boot loader.
func TestKexec(t *testing.T) {
	const k = "6.1"
	grub := files{"/boot/grub/grub.cfg": "menuentry x {\nlinux /vmlinuz-" + k + "\n}"}
	for name, c := range map[string]struct {
		files  files
		booted bool
		want   Certainty
	}{
		"not configured":      {files{"/etc/default/kexec": "LOAD_KEXEC=false\n"}, true, Decided},
		"configured":          {files{"/etc/default/kexec": "# kexec\nLOAD_KEXEC=\"true\"\n"}, false, Unknown},
		"in a snippet":        {files{"/etc/default/kexec": "LOAD_KEXEC=false\n", "/etc/default/kexec.d/local": "LOAD_KEXEC=true\n"}, false, Unknown},
		"not in a snippet":    {files{"/etc/default/kexec": "LOAD_KEXEC=true\n", "/etc/default/kexec.d/local": "LOAD_KEXEC=false\n", "/etc/default/kexec.d/local.dpkg-old": "LOAD_KEXEC=true\n"}, false, Decided},
		"a condition":         {files{"/etc/default/kexec": "if [ -e /x ]; then LOAD_KEXEC=true; fi\n"}, false, Unknown},
		"a directory":         {files{"/etc/default/kexec/x": ""}, false, Decided},
		"none is loaded":      {files{"/sys/kernel/kexec_loaded": "0\n"}, true, Decided},
		"one is loaded":       {files{"/sys/kernel/kexec_loaded": "1\n"}, true, Unknown},
		"one, on another one": {files{"/sys/kernel/kexec_loaded": "1\n"}, false, Decided},
	} {
		m := machine(t, kernels(k), grub, c.files)
		m.Booted = c.booted
		got := m.Next()
		assert.Equal(t, c.want, got.Certainty, "%s: %s", name, got.Reason)
	}
}

func TestWithoutLoader(t *testing.T) {
	m := machine(t)
	assert.Equal(t, unknown("", "there is no boot loader and no kernel image"), m.Next())
	m.Layout.Running = "5.15-wsl"
	assert.Equal(t, dkmsstate.Release("5.15-wsl"), m.Next().Kernel)
	assert.Equal(t, Decided, m.Next().Certainty)
	m = machine(t, kernels("6.1.0-28-amd64", "6.1.0-29-rt-amd64"))
	m.Layout.Running = "6.1.0-28-amd64"
	assert.Equal(t, Choice{Certainty: Newest, Kernel: "6.1.0-28-amd64", Reason: "no boot loader is configured"}, m.Next())
}

// What cannot be read, or is not supported, decides nothing.
func TestUnreadable(t *testing.T) {
	for name, set := range map[string]files{
		"zipl": {"/etc/zipl.conf": "", "/boot/bootmap": ""}, "a script of U-Boot": {"/boot/boot.scr": ""}, "LILO": {"/etc/lilo.conf": ""},
		"rEFInd": {"/boot/efi/EFI/refind/refind.conf": ""}, "Limine": {"/boot/limine.conf": ""},
	} {
		assert.Equal(t, unknown(name, "the configuration of "+name+" is not supported"), machine(t, set).Next())
	}
	m := machine(t, kernels("6.1"))
	config := filepath.Join(m.Layout.Root, "/boot/grub/grub.cfg")
	require.NoError(t, os.MkdirAll(config, 0o755))
	assert.Equal(t, "cannot read /boot/grub/grub.cfg: not a regular file", m.Next().Reason)
	require.NoError(t, os.Remove(config))
	require.NoError(t, os.WriteFile(config, make([]byte, maxConfig+1), 0o644))
	assert.Contains(t, m.Next().Reason, "cannot read /boot/grub/grub.cfg: larger than")
}

func TestNewest(t *testing.T) {
	for k, want := range map[dkmsstate.Release]string{"6.12.63+deb13-amd64": "amd64", "6.12.63+deb13-cloud-amd64": "cloud-amd64", "6.1.0-18-rt-amd64": "rt-amd64",
		"6.8.12-4-pve": "pve", "6.12.34+rpt-rpi-2712": "rpi-2712", "6.8.0-45-generic": "generic", "6.10-rc3-amd64": "amd64", "6.9.7": "", "6.9.7-200.fc40.x86_64": "",
		"6.9.0-060900-generic": "generic", "6.6.31-current-rockchip64": "current-rockchip64"} {
		assert.Equal(t, want, Flavour(k), k)
	}
	m := machine(t, kernels("6.1.0-9-amd64", "6.1.0-28-amd64", "6.1.0-30-cloud-amd64"))
	assert.Equal(t, dkmsstate.Release("6.1.0-30-cloud-amd64"), m.Newest())
	m.Layout.Running = "6.1.0-9-amd64"
	assert.Equal(t, dkmsstate.Release("6.1.0-28-amd64"), m.Newest())
	m.Layout.Running = "6.1.0-9-rt-amd64" // none is left
	assert.Equal(t, dkmsstate.Release("6.1.0-30-cloud-amd64"), m.Newest())
}
