package hooks

import (
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
)

// removeUnowned removes the modules in the install directory of a kernel that goes
// or is gone which dkms no longer knows, and which would keep dpkg from removing
// the directory. One that a package owns is that package's (dkms mkbmdeb makes
// such), and while the kernel stays, one may be what its owner put there.
func (r *run) removeUnowned(tree apply.Tree, after dkmsstate.Snapshot) error {
	if len(after.Unowned) == 0 || r.keepsUnowned(after) {
		return nil
	}
	r.inv.resetDatabaseByHand()
	db, err := r.inv.database()
	if err != nil {
		return fmt.Errorf("cannot tell whose modules are left in the install directory: %w", err)
	}
	var unowned []string
	for _, name := range after.Unowned {
		owners, err := db.WithFile(dkmsstate.InstalledPath(r.inv.Kernel, name))
		if err != nil {
			return fmt.Errorf("cannot tell whose %s is: %w", name, err)
		}
		if len(owners) == 0 {
			r.report.infof("removing %s, which belongs to no build of dkms", dkmsstate.InstalledPath(r.inv.Kernel, name))
			unowned = append(unowned, name)
		}
	}
	return tree.RemoveUnowned(unowned)
}

func (r *run) keepsUnowned(s dkmsstate.Snapshot) bool {
	return s.There && r.inv.Script.Name == ""
}
