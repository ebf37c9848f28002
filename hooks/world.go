package hooks

import (
	"context"
	"fmt"
	"time"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// World is what dpkg's database and the disk say of an invocation.
type World struct {
	// Unreadable is why dpkg's database tells nothing, nil when it does.
	Unreadable error
	// Caller is the record of the package whose maintainer script runs.
	Caller      debpkg.Package
	CallerKnown bool
	// Owners are the installed packages that own the kernel, Starters those among them
	// that have an image to start it from.
	Owners, Starters []debpkg.Package
	// Incoming is the package that dpkg is unpacking; IncomingKnown says that
	// there is one, Brings whether it holds this kernel.
	Incoming      debpkg.Incoming
	IncomingKnown bool
	Contains      debpkg.Contains
	// There reports whether the kernel's module tree is there, Image that /boot has an
	// image of it, Running that it is the one at work.
	There, Image, Running bool
	// Stays reports whether the package whose removal took the kernel's builds away is
	// there all the same: dpkg gave the removal up.
	Stays bool
	// Files are the packages that have files of the kernel, Waiting those among
	// them that are unpacked and not yet configured.
	Files, Unconfigured []debpkg.Package
}

// ReadWorld reads what a decision about the invocation needs, and no more: an
// upgrade keeps the modules whatever the database says.
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
	if inv.Script.Package != "" {
		w.Caller, w.CallerKnown = db.Lookup(inv.Script.Package, inv.Script.Arch)
	}
	if w.Owners, err = db.Owners(string(inv.Kernel)); err != nil {
		w.Unreadable = fmt.Errorf("cannot tell who owns the kernel: %w", err)
		return w
	}
	if w.Starters, err = db.Starters(string(inv.Kernel)); err != nil {
		w.Unreadable = fmt.Errorf("cannot tell who owns the kernel: %w", err)
		return w
	}
	if inv.Action.InFavour != nil {
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

// there reports whether the kernel itself is there. sid's linux-base-KVER, which comes
// with the headers alone too, holds the lists of a kernel's modules and none of
// them; without a package, such lists are those of a kernel that has no modules.
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

// incomingContains reports whether the incoming package holds the kernel, from what dpkg has
// unpacked of it, else from the archive itself. Unknown stays unknown.
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

// wantsDatabase reports whether a prerm call can end in anything but keep.
func (inv Invocation) wantsDatabase() bool {
	switch inv.Action.Word {
	case debpkg.Upgrade, debpkg.FailedUpgrade, debpkg.Deconfigure:
		return false
	}
	return true
}

// staying returns the packages, other than the caller, that have an image of the kernel and
// that dpkg does not mean to remove. One that has nothing but its modules, as Ubuntu's
// linux-modules has until it is removed as well, starts no kernel.
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
