package bootloader

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

func TestInitrd(t *testing.T) {
	const k = "6.12.9-amd64"
	own := files{"/boot/initrd.img-" + k: "archive"}
	grub := func(commands string) files {
		return files{"/boot/grub/grub.cfg": "menuentry x {\nlinux /vmlinuz-" + k + " ro\n" + commands + "\n}"}
	}
	entry := func(lines string) files {
		return files{"/boot/grub2/grub.cfg": "blscfg\n", "/boot/loader/entries/a.conf": "title a\nlinux /vmlinuz-" + k + "\n" + lines}
	}
	extlinux := func(lines string) files {
		return files{"/boot/extlinux/extlinux.conf": "default a\nlabel a\nlinux /vmlinuz-" + k + "\n" + lines}
	}
	systemd := func(lines string) files {
		return files{"/efi/EFI/systemd/systemd-bootx64.efi": "", "/efi/a/linux": bzImage(k), "/efi/a/initrd": "x", "/efi/loader/entries/a.conf": "linux /a/linux\n" + lines}
	}
	pi := func(config string) files {
		return files{"/boot/firmware/config.txt": config + "\nkernel=kernel8.img\n", "/boot/firmware/kernel8.img": "image of " + k, "/boot/firmware/initramfs8": "x"}
	}
	for name, c := range map[string]struct {
		files files
		want  []string
		known bool
	}{
		"GRUB":                          {grub("initrd /initrd.img-" + k), []string{"/boot/initrd.img-" + k}, true},
		"GRUB, with a device":           {files{"/boot/grub/grub.cfg": "menuentry x {\nlinux --x (hd0,gpt2)/boot/vmlinuz-" + k + " ro\ninitrd (hd0,gpt2)/boot/initrd.img-" + k + "\n}"}, []string{"/boot/initrd.img-" + k}, true},
		"GRUB, from another device":     {grub("initrd (hd1,gpt2)/boot/initrd.img-" + k), nil, false},
		"GRUB, from another root":       {grub("set root=hd1,gpt2\ninitrd /boot/initrd.img-" + k), nil, false},
		"GRUB, after another search":    {grub("search --set=root --label x\ninitrd /boot/initrd.img-" + k), nil, false},
		"GRUB, an argument":             {files{"/boot/grub/grub.cfg": "menuentry x {\nlinux /vmlinuz-" + k + " initrd=/x\n}"}, nil, false},
		"GRUB, none":                    {grub("true"), nil, true},
		"GRUB, two":                     {grub("initrd /initrd.img-" + k + " /grub/grub.cfg"), []string{"/boot/initrd.img-" + k, "/boot/grub/grub.cfg"}, true},
		"GRUB, another":                 {grub("initrd /missing"), nil, false},
		"GRUB, on a condition":          {grub("if keystatus --shift; then initrd /initrd.img-" + k + "; fi"), nil, false},
		"GRUB, twice":                   {grub("initrd /initrd.img-" + k + "\ninitrd /initrd.img-" + k), nil, false},
		"GRUB, below another name":      {grub("initrd newc:a:/initrd.img-" + k), nil, false},
		"GRUB, a variable":              {grub("hwmatch x 3\ninitrd $match"), nil, false},
		"GRUB, Xen":                     {files{"/boot/grub/grub.cfg": "menuentry x {\nmultiboot2 /xen.gz\nmodule2 /vmlinuz-" + k + "\nmodule2 /initrd.img-" + k + "\n}"}, nil, false},
		"GRUB, an entry":                {entry("initrd /initrd.img-" + k), []string{"/boot/initrd.img-" + k}, true},
		"GRUB, an entry with variables": {entry("initrd /initrd.img-" + k + " $tuned_initrd"), nil, false},
		"extlinux":                      {extlinux("initrd /boot/initrd.img-" + k), []string{"/boot/initrd.img-" + k}, true},
		"extlinux, relative":            {extlinux("initrd ../initrd.img-" + k), []string{"/boot/initrd.img-" + k}, true},
		"extlinux, an argument":         {extlinux("append ro initrd=/initrd.img-" + k), []string{"/boot/initrd.img-" + k}, true},
		"extlinux, none":                {extlinux("append ro"), nil, true},
		"systemd-boot":                  {systemd("initrd /a/initrd"), []string{"/efi/a/initrd"}, true},
		"systemd-boot, none":            {systemd(""), nil, true},
		"systemd-boot, an argument":     {systemd("options ro initrd=\\a\\initrd"), nil, false},
		"systemd-boot, missing":         {systemd("initrd /b/initrd"), nil, false},
		"a unified image":               {files{"/efi/EFI/systemd/systemd-bootx64.efi": "", "/efi/EFI/Linux/a.efi": unifiedImage(".uname", k)}, []string{"/efi/EFI/Linux/a.efi"}, true},
		"Raspberry Pi":                  {pi("auto_initramfs=1"), []string{"/boot/firmware/initramfs8"}, true},
		"Raspberry Pi, by name":         {pi("initramfs initramfs8 followkernel"), []string{"/boot/firmware/initramfs8"}, true},
		"Raspberry Pi, none":            {pi(""), nil, true},
		"Raspberry Pi, missing":         {pi("initramfs other.img followkernel"), nil, false},
		"Raspberry Pi, on a pin":        {pi("[gpio4=1]\nauto_initramfs=1\n[all]"), nil, false},
		"a pin of Proxmox":              {files{"/etc/kernel/proxmox-boot-uuids": "A1", "/etc/kernel/proxmox-boot-pin": k + "\n"}, []string{"/boot/initrd.img-" + k}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := machine(t, kernels(k), own, c.files).Next()
			require.Equal(t, dkmsstate.Release(k), got.Kernel, got.Reason)
			assert.Equal(t, c.want, got.Initrd)
			assert.Equal(t, c.known, got.InitrdKnown)
		})
	}
}
