package hooks

import (
	"fmt"
	"path"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
)

// removeUnowned removes modules that dkms no longer knows from the install directory of a
// kernel that is removed or gone. They would keep dpkg from removing the directory. A module
// that a package owns is left to that package (dkms mkbmdeb makes such packages).
func (r *run) removeUnowned(tree apply.Tree, after dkmsstate.Snapshot) error {
	if len(after.Unowned) == 0 || r.keepsUnowned(after) {
		return nil
	}
	r.inv.resetDatabaseByHand()
	db, err := r.inv.database()
	if err != nil {
		return fmt.Errorf("cannot find the owners of modules left in the install directory: %w", err)
	}
	var unowned []string
	for _, name := range after.Unowned {
		owners, err := db.WithFile(dkmsstate.InstalledPath(r.inv.Kernel, name))
		if err != nil {
			return fmt.Errorf("cannot find the package that contains %s: %w", name, err)
		}
		if len(owners) == 0 {
			r.report.infof("removing %s, which belongs to no build of dkms", dkmsstate.InstalledPath(r.inv.Kernel, name))
			unowned = append(unowned, path.Join(dkmsstate.InstalledUnder, name))
		}
	}
	return tree.RemoveInstalled(unowned)
}

// keepsUnowned reports whether unowned modules stay: a person runs the hook, and the kernel
// stays installed. Its owner may have put them there.
func (r *run) keepsUnowned(s dkmsstate.Snapshot) bool {
	return s.There && r.inv.Script.Name == ""
}
