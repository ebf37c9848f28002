package bootloader

import (
	"dkms-hooks/dkmsstate"
)

// Certainty is how a Choice is known.
type Certainty string

// The certainties.
const (
	// Decided means that a boot loader's configuration names the kernel.
	Decided Certainty = "decided"
	// Newest means that no configuration names a kernel. The Choice has the newest one.
	Newest Certainty = "newest"
	// Unknown means that it cannot be determined. Choice.Reason says why.
	Unknown Certainty = "unknown"
)

// Choice is the kernel that starts at the next boot.
type Choice struct {
	// Kernel is the release of the kernel, "" if it is unknown.
	Kernel    dkmsstate.Release `json:"kernel,omitempty"`
	Certainty Certainty         `json:"certainty"`
	// Reason is what decides, or why nothing can be determined.
	Reason string `json:"reason"`
	// Loader is the name of the boot loader, "" if there is none.
	Loader string `json:"loader,omitempty"`
	// Source is the file that decides, or an EFI variable.
	Source string `json:"source,omitempty"`
	// Entry is the title, the identifier or the label of the entry that starts.
	Entry string `json:"entry,omitempty"`
	// Once reports whether the choice holds for the next boot only.
	Once bool `json:"once,omitempty"`
	// Cmdline is the command line that the boot loader passes to the kernel. CmdlinePerhaps are
	// arguments that it adds on conditions that are not known. CmdlineComplete reports whether
	// there are no others.
	Cmdline         string   `json:"cmdline,omitempty"`
	CmdlinePerhaps  []string `json:"cmdline_perhaps,omitempty"`
	CmdlineComplete bool     `json:"cmdline_complete"`
	// Initrd are the files, inside the root, from which the boot loader loads the initramfs:
	// archives, or a unified kernel image that has it. InitrdKnown reports whether they are known.
	Initrd      []string `json:"initrd,omitempty"`
	InitrdKnown bool     `json:"initrd_known"`
}

// The names of the boot loaders.
const (
	grubName        = "GRUB"
	systemdBootName = "systemd-boot"
	extlinuxName    = "extlinux"
	raspberryName   = "Raspberry Pi firmware"
	proxmoxName     = "proxmox-boot-tool"
)

// unknown returns a Choice that could not be determined.
func unknown(loader, reason string) Choice {
	return Choice{Certainty: Unknown, Loader: loader, Reason: reason}
}
