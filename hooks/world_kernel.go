package hooks

import (
	"errors"
	"slices"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Lifeless reports whether a kernel has modules, and nothing that it could be started from.
// Such a kernel keeps what it has, and nothing is built for it.
func (w World) Lifeless() bool {
	return w.There && !w.Running && !w.Image && !w.Stays && w.Unreadable == nil && len(w.Starters) == 0 && len(w.Unconfigured) == 0
}

// nothingPostponed reports whether a note of postponed work is about a kernel on which there is nothing
// to do: it is not there, or it cannot be started and the work was to bring nothing in.
func (w World) nothingPostponed(note dkmsstate.UnfinishedNote) bool {
	gone := !w.There && !w.Image && len(w.Owners) == 0 && w.Unreadable == nil
	return note.Why == dkmsstate.Deferred && (gone || note.Keeping && w.Lifeless())
}

// ReadKernel reads what DecideKernel needs, and no more. kept is the record of the kernel.
func ReadKernel(inv Invocation, layout dkmsstate.Layout, kept dkmsstate.KernelRecord) World {
	kernel := inv.Kernel
	w := World{
		There:   inv.there(layout, kernel),
		Image:   layout.ImageThere(kernel),
		Running: running(layout, kernel),
		// A run that ended early noted that it was at work on it, and may not have written the record.
		Seen: kept.Unpacked != "" || kept.RemovedBy != "" || layout.Unfinished(kernel).Begun(),
	}
	db, err := inv.database()
	if err != nil {
		w.Unreadable = err
		return w
	}
	var waitingErr, ownersErr, startersErr, filesErr error
	if w.There {
		w.Unconfigured, waitingErr = unconfigured(db, kernel)
	}
	w.Image = w.Image || unownedImage(db, layout, kernel)
	if !w.Image && !w.Running {
		w.Owners, ownersErr = db.Owners(string(kernel))
		w.Starters, startersErr = db.Starters(string(kernel))
	}
	if w.There && !w.Image && !w.Running && len(w.Owners)+len(w.Unconfigured) == 0 && layout.OnlyDirectories(kernel) {
		w.There = false
	}
	if p, known := db.Lookup(kept.RemovedBy, ""); kept.RemovedBy != "" && known {
		w.Stays = p.Status.Present()
	}
	if !w.There && !w.Image {
		w.Files, filesErr = db.WithFilesOf(string(kernel), debpkg.Status.Any)
	}
	w.Unreadable = errors.Join(waitingErr, ownersErr, startersErr, filesErr)
	return w
}

// unconfigured returns the packages that have files of a kernel and are not configured yet.
// Those without a postinst, such as the headers of bindeb-pkg, run no hook and are left out.
func unconfigured(db *debpkg.Database, kernel dkmsstate.Release) ([]debpkg.Package, error) {
	packages, err := db.WithFilesOf(string(kernel), debpkg.Status.Unconfigured)
	return slices.DeleteFunc(packages, func(p debpkg.Package) bool { return !db.HasPostinst(p) }), err
}
