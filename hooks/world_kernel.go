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

// ReadKernel reads what DecideKernel needs, and no more. removedBy is the package whose removal
// deleted the kernel's builds, "" if there is none.
func ReadKernel(inv Invocation, layout dkmsstate.Layout, removedBy string) World {
	kernel := inv.Kernel
	w := World{
		There:   inv.there(layout, kernel),
		Image:   layout.ImageThere(kernel),
		Running: running(layout, kernel),
	}
	db, err := inv.database()
	if err != nil {
		w.Unreadable = err
		return w
	}
	var waitingErr, ownersErr, startersErr, filesErr error
	if w.There {
		w.Unconfigured, waitingErr = db.WithFilesOf(string(kernel), debpkg.Status.Unconfigured)
		// The headers of bindeb-pkg have no postinst: no hook follows for them.
		w.Unconfigured = slices.DeleteFunc(w.Unconfigured, func(p debpkg.Package) bool { return !db.HasPostinst(p) })
	}
	if !w.Image && !w.Running {
		w.Owners, ownersErr = db.Owners(string(kernel))
		w.Starters, startersErr = db.Starters(string(kernel))
	}
	if p, known := db.Lookup(removedBy, ""); removedBy != "" && known {
		w.Stays = p.Status.Present()
	}
	if !w.There && !w.Image {
		w.Files, filesErr = db.WithFilesOf(string(kernel), debpkg.Status.Any)
	}
	w.Unreadable = errors.Join(waitingErr, ownersErr, startersErr, filesErr)
	return w
}
