package bootloader

import (
	"fmt"
	"strings"

	"dkms-hooks/dkmsstate"
)

// pin returns the kernel that Proxmox has pinned and the file that says so, "" without one. The
// pin for the next boot comes first.
func (m Machine) pin() (dkmsstate.Release, string, error) {
	for _, file := range []string{"/etc/kernel/next-boot-pin", "/etc/kernel/proxmox-boot-pin"} {
		data, err := m.readIfThere(file)
		if err != nil {
			return "", file, err
		}
		text := strings.TrimSpace(string(data))
		if text == "" {
			continue
		}
		kernel, err := dkmsstate.ParseRelease(text)
		if err != nil {
			return "", file, fmt.Errorf("%s: %w", file, err)
		}
		return kernel, file, nil
	}
	return "", "", nil
}

// proxmox returns the kernel that proxmox-boot-tool has the boot loader start. It writes the
// configurations of boot loaders on partitions that are not mounted.
func (m Machine) proxmox() Choice {
	kernel, file, err := m.pin()
	switch {
	case err != nil:
		return unknown(proxmoxName, err.Error())
	case kernel == "":
		newest := m.Newest()
		if newest == "" {
			return unknown(proxmoxName, "no kernel is pinned, and none has an image")
		}
		return Choice{Certainty: Newest, Kernel: newest, Loader: proxmoxName, Reason: "proxmox-boot-tool starts the newest kernel unless one is pinned"}
	case !m.exists("/boot/vmlinuz-" + string(kernel)):
		return unknown(proxmoxName, fmt.Sprintf("%s pins %s, which has no image", file, kernel))
	}
	return m.ownInitrd(Choice{Certainty: Decided, Kernel: kernel, Loader: proxmoxName, Source: file, Once: strings.HasSuffix(file, "next-boot-pin"),
		Reason: fmt.Sprintf("%s pins it", file)})
}
