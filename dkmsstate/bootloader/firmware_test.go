package bootloader

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/efivars"
)

// Two boot loaders are configured: the one that started the system starts the next one.
func TestStarted(t *testing.T) {
	const byGrub, bySystemd = "6.1.0-grub", "6.2.0-systemd"
	two := []files{kernels(byGrub), {"/boot/grub/grub.cfg": "search --fs-uuid --set=root 1b2d-77\nmenuentry x {\nlinux /vmlinuz-" + byGrub + "\n}"}, specified("/efi", bySystemd)}
	const shim, systemd, windows = `\EFI\debian\shimx64.efi`, `\EFI\systemd\systemd-bootx64.efi`, `\EFI\Microsoft\Boot\bootmgfw.efi`
	order := func(numbers string) files {
		return files{efivars.Dir + "/BootOrder-" + efivars.Firmware: variable(numbers)}
	}
	next := func(number string) files {
		return files{efivars.Dir + "/BootNext-" + efivars.Firmware: variable(number)}
	}
	truncated := func(name, vendor string) files { return files{efivars.Dir + "/" + name + "-" + vendor: "\x07"} }
	for name, c := range map[string]struct {
		files  []files
		want   dkmsstate.Release
		reason string
	}{
		"systemd-boot":                     {[]files{firmwareFiles("systemd-boot 257.13-1", systemd)}, bySystemd, ""},
		"GRUB":                             {[]files{firmwareFiles("GRUB 2.12-9", shim)}, byGrub, ""},
		"GRUB of this system":              {[]files{firmwareFiles("", shim), {"/boot/efi/EFI/debian/grub.cfg": "search.fs_uuid 1b2d-77 root hd0,gpt2\nset prefix=($root)'/boot/grub'\n"}}, byGrub, ""},
		"GRUB of another system":           {[]files{firmwareFiles("", shim), {"/boot/efi/EFI/debian/grub.cfg": "search.fs_uuid 1b2d-78 root hd0,gpt2\nset prefix=($root)'/boot/grub'\n"}}, "", `\EFI\debian\shimx64.efi reads its configuration from another filesystem`},
		"started by another way":           {[]files{firmwareFiles("", shim), {"/proc/cmdline": "root=/dev/vda\n"}}, "", "GRUB is configured, and did not start this system"},
		"started by GRUB":                  {[]files{firmwareFiles("", shim), {"/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/vda\n"}}, byGrub, ""},
		"an older GRUB":                    {[]files{firmwareFiles("", shim)}, byGrub, ""},
		"the path of removable disks":      {[]files{firmwareFiles("", `\EFI\BOOT\BOOTX64.EFI`)}, byGrub, ""},
		"rEFInd":                           {[]files{firmwareFiles("rEFInd 0.14.2", `\EFI\refind\refind_x64.efi`)}, "", `"rEFInd 0.14.2" started this system`},
		"a kernel":                         {[]files{firmwareFiles("", `\EFI\Linux\debian.efi`)}, "", `the firmware started \EFI\Linux\debian.efi`},
		"BIOS":                             {[]files{{"/sys/firmware/acpi/x": ""}}, byGrub, ""},
		"no variables":                     {[]files{{"/sys/firmware/efi/x": ""}}, "", "more than one boot loader is configured: GRUB, systemd-boot"},
		"another first":                    {[]files{firmwareFiles("GRUB 2.12-9", shim, windows), order("\x01\x00\x00\x00")}, "", `the firmware starts \EFI\Microsoft\Boot\bootmgfw.efi before \EFI\debian\shimx64.efi`},
		"another behind":                   {[]files{firmwareFiles("GRUB 2.12-9", shim, windows)}, byGrub, ""},
		"the network first":                {[]files{firmwareFiles("GRUB 2.12-9", shim, ""), order("\x01\x00\x00\x00")}, byGrub, ""},
		"another next":                     {[]files{firmwareFiles("GRUB 2.12-9", shim, windows), next("\x01\x00")}, "", `BootNext is set: the firmware starts \EFI\Microsoft\Boot\bootmgfw.efi next`},
		"the same next":                    {[]files{firmwareFiles("GRUB 2.12-9", shim, windows), order("\x01\x00\x00\x00"), next("\x00\x00")}, byGrub, ""},
		"an order that cannot be read":     {[]files{firmwareFiles("GRUB 2.12-9", shim), truncated("BootOrder", efivars.Firmware)}, "", `the variable BootOrder of the firmware cannot be read: the variable is truncated`},
		"a next entry that cannot be read": {[]files{firmwareFiles("GRUB 2.12-9", shim), truncated("BootNext", efivars.Firmware)}, "", "the variable BootNext of the firmware cannot be read"},
		"a loader that cannot be read":     {[]files{firmwareFiles("", shim), truncated("LoaderInfo", efivars.Loader)}, "", "the variable LoaderInfo of the firmware cannot be read"},
		"a default that cannot be read":    {[]files{firmwareFiles("systemd-boot 257", systemd), truncated("LoaderEntryDefault", efivars.Loader)}, "", "the variable LoaderEntryDefault of the firmware cannot be read"},
		"the current one cannot be read":   {[]files{firmwareFiles("GRUB 2.12-9", shim), truncated("BootCurrent", efivars.Firmware)}, "", "the variable BootCurrent of the firmware cannot be read"},
		"the setup next":                   {[]files{firmwareFiles("GRUB 2.12-9", shim, ""), next("\x01\x00")}, "", `the firmware starts "entry 1" next`},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, append(two, c.files...)...)
			m.Booted = true
			got := m.Next()
			assert.Equal(t, c.want, got.Kernel, got.Reason)
			assert.Contains(t, got.Reason, c.reason)
			m.Booted = false // the firmware is that of another system
			assert.Equal(t, Unknown, m.Next().Certainty)
		})
	}
	m := machine(t, two[:2]...)
	assert.Equal(t, dkmsstate.Release(byGrub), m.Next().Kernel)
	m = machine(t, two[0], two[1], firmwareFiles("systemd-boot 257", systemd))
	m.Booted = true
	assert.Equal(t, "systemd-boot started this system, and its configuration was not found", m.Next().Reason)
}

// Where it is not known whether this system was booted, nothing that is configured in it is known
// to start.
func TestUnclear(t *testing.T) {
	const k = "6.1.0-amd64"
	for name, configured := range map[string]files{
		grubName: {"/boot/grub/grub.cfg": "menuentry x {\nlinux /vmlinuz-" + k + "\n}"}, extlinuxName: {"/boot/extlinux/extlinux.conf": ubootMenu("l0", k)},
		systemdBootName: specified("/efi", k),
	} {
		m := machine(t, kernels(k), configured)
		require.Equal(t, dkmsstate.Release(k), m.Next().Kernel, m.Next())
		m.Unclear = true
		assert.Equal(t, unknown(name, unclear), m.Next())
	}
	m := machine(t, kernels(k))
	m.Unclear = true
	assert.Equal(t, Newest, m.Next().Certainty)
}

func FuzzLoadOption(f *testing.F) {
	f.Add([]byte(bootOption("debian", `\EFI\debian\shimx64.efi`)[4:]))
	f.Fuzz(func(t *testing.T, data []byte) { parseLoadOption(data) })
}
