package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/dkmsstate/boottime"
	"dkms-hooks/dkmsstate/signing"
)

// startable reports whether there is an image to start the kernel from: under one of the usual
// names, in a package together with the kernel's modules (kernel8.img), or in the kernel's
// module directory. If a package owns the latter, as in Debian 14, a hook copies it to /boot.
func startable(inv Invocation, layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	if layout.ImageThere(kernel) {
		return true
	}
	db, err := inv.database()
	if err != nil {
		return false
	}
	images, _ := db.Images(string(kernel))
	return slices.ContainsFunc(images, func(path string) bool { return dkmsstate.Exists(layout.Path(path)) }) || unownedImage(db, layout, kernel)
}

// unownedImage reports whether the kernel's module directory contains an image that no package
// owns.
func unownedImage(db *debpkg.Database, layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	const name = "vmlinuz"
	if !dkmsstate.AnyExists(layout.KernelDir(kernel), name) {
		return false
	}
	owners, err := db.WithFile("/lib/modules/" + string(kernel) + "/" + name)
	return err == nil && len(owners) == 0
}

// boot is what is known about the next boot.
type boot struct {
	// origin is whether the layout is that of the booted system.
	origin origin
	// next is the kernel that the boot loader starts.
	next bootloader.Choice
	// newest is the newest kernel with an image.
	newest dkmsstate.Release
	// kernels are those whose modules matter at the next boot, newest first.
	kernels []dkmsstate.Release
}

// readBoot reads what is known about the next boot. The kernels that matter are the one that
// boots next, or the newest one if no configuration selects a kernel for good, the running one,
// and what was installed or upgraded since the system was started.
func readBoot(inv Invocation, layout dkmsstate.Layout) boot {
	here := readOrigin(layout)
	image := func(kernel dkmsstate.Release) bool { return startable(inv, layout, kernel) }
	machine := bootloader.Machine{Layout: layout, Booted: here == booted, Unclear: here == originUnknown, Image: image}
	b := boot{origin: here, next: machine.Next(), newest: machine.Newest()}
	var started time.Time
	if here == booted {
		started, _ = boottime.At("/")
	}
	for _, kernel := range layout.InstalledKernels() {
		if b.matters(layout, kernel) || !started.IsZero() && unpackedSince(layout, kernel, started) {
			b.kernels = append(b.kernels, kernel)
		}
	}
	return b
}

// matters reports whether a kernel may be the next to run, or runs.
func (b boot) matters(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	switch {
	case b.startsNext(kernel):
		return true
	case kernel == b.newest && (b.next.Certainty != bootloader.Decided || b.next.Once):
		return true
	}
	return running(layout, kernel) && layout.KernelThere(kernel)
}

// startsNext reports whether the boot loader is known to start a kernel at the next boot.
func (b boot) startsNext(kernel dkmsstate.Release) bool {
	return b.next.Certainty == bootloader.Decided && kernel == b.next.Kernel
}

// commandLine returns the command line with which a kernel is started at the next boot. Of what the
// boot loader adds on a condition, only what decides about signatures makes it unknown.
func (b boot) commandLine(kernel dkmsstate.Release) signing.Line {
	if b.next.Loader == "" || !b.startsNext(kernel) {
		return signing.Line{}
	}
	line := signing.Line{Chosen: true}
	if b.next.CmdlineComplete && !signing.Decides(b.next.CmdlinePerhaps) {
		line.Text = b.next.Cmdline
	}
	return line
}

// word describes what a kernel has to do with the next boot.
func (b boot) word(layout dkmsstate.Layout, kernel dkmsstate.Release) string {
	switch {
	case running(layout, kernel):
		return "running kernel"
	case b.startsNext(kernel):
		return "boots next"
	case kernel == b.newest:
		return "newest kernel"
	}
	return "new since the last boot"
}

// nextBootText returns which kernel starts next, and what decides.
func nextBootText(next bootloader.Choice) string {
	next.Reason = inOneLine(next.Reason)
	switch next.Certainty {
	case bootloader.Decided:
		if next.Loader != "" {
			return fmt.Sprintf("%s, by %s: %s", next.Kernel, next.Loader, next.Reason)
		}
		return fmt.Sprintf("%s: %s", next.Kernel, next.Reason)
	case bootloader.Newest:
		return fmt.Sprintf("the newest kernel, %s, as %s", next.Kernel, next.Reason)
	}
	return "cannot be determined: " + next.Reason
}

// running reports whether a kernel of the layout is the running one.
func running(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	return kernel != "" && kernel == layout.Running
}

// bootable returns the kernels whose modules matter at the next boot, newest first.
func bootable(inv Invocation, layout dkmsstate.Layout) []dkmsstate.Release {
	return readBoot(inv, layout).kernels
}

// unpackedSince reports whether files of a kernel that only its package writes were written
// after a time.
func unpackedSince(layout dkmsstate.Layout, kernel dkmsstate.Release, when time.Time) bool {
	if !layout.KernelThere(kernel) || !layout.ImageThere(kernel) {
		return false
	}
	dir := layout.KernelDir(kernel)
	for _, file := range append(layout.Images(kernel), filepath.Join(dir, "modules.order"), filepath.Join(dir, "modules.builtin")) {
		info, err := os.Stat(file)
		if err != nil {
			continue
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && time.Unix(st.Ctim.Unix()).After(when) {
			return true
		}
	}
	return false
}
