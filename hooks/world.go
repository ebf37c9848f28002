package hooks

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// World is what dpkg's database and the disk show about an invocation.
type World struct {
	// Unreadable is why dpkg's database cannot be used, nil if it can.
	Unreadable error
	// Caller is the package whose maintainer script is running.
	Caller debpkg.Package
	// CallerKnown reports whether dpkg has a record of the Caller.
	CallerKnown bool
	// Owners are the installed packages that own the kernel.
	Owners []debpkg.Package
	// Starters are the Owners that have an image to start the kernel from.
	Starters []debpkg.Package
	// Incoming is the package that dpkg is unpacking.
	Incoming debpkg.Incoming
	// IncomingKnown reports whether dpkg is unpacking a package.
	IncomingKnown bool
	// Contains reports whether Incoming contains the kernel.
	Contains debpkg.Contains
	// There reports whether the kernel itself is installed.
	There bool
	// Image reports whether there is an image to start the kernel from.
	Image bool
	// Running reports whether the kernel is the running one.
	Running bool
	// Unheard reports whether nothing is known of the kernel: no image, no modules, no build, no
	// record. ReadWorld finds this out only if no maintainer script runs the hook.
	Unheard bool
	// Seen reports whether the record shows that the kernel was installed once.
	Seen bool
	// Stays reports whether the package whose removal deleted the kernel's builds is still
	// present: dpkg aborted the removal.
	Stays bool
	// Files are the packages that have files of the kernel. ReadKernel reads them only if the
	// kernel is not installed and has no image.
	Files []debpkg.Package
	// Unconfigured are the packages with files of the kernel that are unpacked and not yet
	// configured. ReadKernel leaves out those without a postinst.
	Unconfigured []debpkg.Package
}

// ReadWorld reads what a decision about the invocation needs, and no more. An upgrade keeps the
// modules whatever the database contains.
func ReadWorld(ctx context.Context, inv Invocation, layout dkmsstate.Layout) World {
	w := World{There: inv.there(layout, inv.Kernel)}
	if inv.Hook != Prerm || !inv.wantsDatabase() {
		return w
	}
	db, err := inv.database()
	if err != nil {
		w.Unreadable = err
		return w
	}
	if inv.Script.Name == "" && !layout.ImageThere(inv.Kernel) {
		known, err := readKernels(inv)
		w.Unheard = err == nil && !slices.Contains(known, inv.Kernel)
	}
	if inv.Script.Package != "" {
		w.Caller, w.CallerKnown = db.Lookup(inv.Script.Package, inv.Script.Arch)
	}
	if w.Owners, err = db.Owners(string(inv.Kernel)); err != nil {
		w.Unreadable = fmt.Errorf("cannot find the owners of the kernel: %w", err)
		return w
	}
	if inv.Script.Name == "postrm" { // the caller's files are gone, although dpkg still has their list
		w.Owners = slices.DeleteFunc(w.Owners, func(p debpkg.Package) bool {
			return p.Name == inv.Script.Package && p.Status.State == debpkg.HalfInstalled
		})
	}
	if w.Starters, err = db.Starters(string(inv.Kernel)); err != nil {
		w.Unreadable = fmt.Errorf("cannot find the owners of the kernel: %w", err)
		return w
	}
	if inv.Action.InFavour != nil || inv.Action.Word == debpkg.None && inv.Script.Name == "prerm" {
		incoming, known, err := db.Incoming()
		if err != nil {
			w.Unreadable = err
			return w
		}
		w.Incoming, w.IncomingKnown = incoming, known
		if known {
			w.Contains = incomingContains(ctx, inv, incoming)
		}
	}
	return w
}

// there reports whether the kernel itself is installed.
//
// On sid, linux-base-KVER comes with the headers alone, too. It contains the lists of a
// kernel's modules and no modules, so a list that a package owns proves nothing. A list that no
// package owns is that of a kernel without modules.
func (inv Invocation) there(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	if !layout.KernelThere(kernel) {
		return false
	}
	if layout.ModulesThere(kernel) || layout.ImageThere(kernel) || kernel == layout.Running {
		return true
	}
	db, err := inv.database()
	if err != nil {
		return true
	}
	for _, list := range []string{"modules.order", "modules.builtin"} {
		if owners, err := db.WithFile("/lib/modules/" + string(kernel) + "/" + list); err == nil && len(owners) > 0 {
			return false
		}
	}
	return true
}

// incomingContains reports whether the incoming package contains the kernel. It looks at what
// dpkg has unpacked of the package, then at the archive. The answer may be unknown.
func incomingContains(ctx context.Context, inv Invocation, incoming debpkg.Incoming) debpkg.Contains {
	if known := incoming.Contains(string(inv.Kernel)); known != debpkg.ContainsUnknown {
		return known
	}
	const limit = time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	archive := incoming.FindArchive(ctx)
	if archive == "" {
		return debpkg.ContainsUnknown
	}
	known, err := debpkg.ArchiveContains(ctx, archive, string(inv.Kernel))
	if err != nil {
		return debpkg.ContainsUnknown
	}
	return known
}

// wantsDatabase reports whether the verdict on a call of prerm may depend on dpkg's database.
// It does not for actions that always end in Keep.
func (inv Invocation) wantsDatabase() bool {
	switch inv.Action.Word {
	case debpkg.Upgrade, debpkg.FailedUpgrade, debpkg.Deconfigure:
		return false
	}
	return true
}

// remaining returns the packages, other than the caller, that have an image of the kernel and
// that dpkg is not removing. A package that has nothing but modules does not count, since it
// starts no kernel: Ubuntu's linux-modules has them until it is removed as well.
func (w World) remaining() []debpkg.Package {
	var remaining []debpkg.Package
	for _, p := range w.Starters {
		caller := w.CallerKnown && p.Name == w.Caller.Name && p.Arch == w.Caller.Arch
		if !caller && !p.Status.SelectedForRemoval() {
			remaining = append(remaining, p)
		}
	}
	return remaining
}

// callerOwns reports whether the calling package owns the kernel. Without an action nothing else says
// that the kernel is meant: the prerm of a boot loader, too, may take kernels out of its menu by
// kernel-install(8), which runs the hooks.
func (w World) callerOwns() bool {
	return slices.ContainsFunc(w.Owners, func(p debpkg.Package) bool { return p.Name == w.Caller.Name && p.Arch == w.Caller.Arch })
}

// beingRemoved reports whether dpkg is running the prerm of the calling package, and is asked to
// remove that package.
func (w World) beingRemoved() bool {
	return w.CallerKnown && w.Caller.Status.SelectedForRemoval() && w.Caller.Status.State == debpkg.HalfConfigured
}
