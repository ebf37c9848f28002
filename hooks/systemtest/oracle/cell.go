package oracle

// Cell is one machine and one question about its next boot.
type Cell struct {
	// Group is what the cell is about, Name what is special about the machine.
	Group, Name string
	// On is the machine that it begins with.
	On Base
	// Starts is what starts the kernel, Secure whether Secure Boot is on. Variables are options
	// of virt-fw-vars(1) about the variables of the firmware.
	Starts    Starter
	Secure    bool
	Variables string
	// Prepare is a script that runs in the machine's root directory before the disk is made of
	// it. $K is the kernel, $SECOND the second one.
	Prepare string
	// Inside reports whether the prediction is made in a first boot of the machine. Arrange is a
	// script that runs there before it.
	Inside  bool
	Arrange string
	// Line is the end of the kernel's command line.
	Line string
	// Device is an option -device of qemu.
	Device string
	// Module is the module in question. If it is "", the question is which kernel starts.
	Module string
	// Quick reports whether the cell is one of the few that make check plays.
	Quick bool
}

// Starter is what starts the kernel of a machine.
type Starter string

const (
	// Emulator is qemu itself, which gets the kernel and its initramfs.
	Emulator Starter = ""
	// GRUB is Debian's signed one, behind shim and UEFI.
	GRUB Starter = "GRUB"
	// SystemdBoot is started by UEFI. The kernels are on the EFI system partition, at /efi.
	SystemdBoot Starter = "systemd-boot"
	// Extlinux is started by a BIOS.
	Extlinux Starter = "extlinux"
)

// Base is a machine that cells begin with.
type Base string

const (
	// Signed has Debian's signed kernel, and a module that dkms signed with its own key.
	Signed Base = "signed"
	// Unsigned has the same, without a key of dkms.
	Unsigned Base = "unsigned"
	// Two has a second kernel of Debian beside that of Signed.
	Two Base = "two"
	// Lab has a kernel of make kernels with symbol versions, LabPlain one without. Neither checks
	// signatures.
	Lab      Base = "lab"
	LabPlain Base = "lab, no symbol versions"
)

// tiny reports whether the machine's kernel has neither disks nor UEFI: it is booted from an
// initramfs with its module directory, and predicted about from outside.
func (b Base) tiny() bool { return b == Lab || b == LabPlain }

// kernel names the kind of the kernel in the table.
func (b Base) kernel() string {
	switch b {
	case Lab:
		return "make kernels"
	case LabPlain:
		return "make kernels, no symbol versions"
	case Two:
		return "Debian, two"
	}
	return "Debian"
}

// Cells returns all cells.
func Cells() []Cell {
	var all []Cell
	for _, group := range [][]Cell{signatureCells(), initramfsCells(), choiceCells(), modprobeCells(), buildCells()} {
		all = append(all, group...)
	}
	return all
}
