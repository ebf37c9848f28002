package apply

import (
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// makeBackup makes MODULE/VERSION/KVER the spare, in place of an older one. It is
// false when there is nothing to set aside or when that cannot be done.
func (t Tree) makeBackup(version *nofollow.Dir) (bool, error) {
	if !version.IsComplete(string(t.Kernel)) {
		return false, nil
	}
	if err := t.discardBackup(version); err != nil {
		return false, err
	}
	return version.MoveTree(string(t.Kernel), dkmsstate.BackupName(t.Kernel), dkmsstate.TrashName(t.Kernel)) == nil, nil
}

// discardBackup removes a spare, renamed first to what is never taken for one.
func (t Tree) discardBackup(version *nofollow.Dir) error {
	if err := version.RemoveTree(dkmsstate.BackupName(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove what was set aside: %w", err)
	}
	return nil
}

// linkBackup makes a spare of a build that dkms is about to remove itself, as
// second names of the same files.
func (t Tree) linkBackup(m dkmsstate.Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	defer version.Close()
	if err := version.CopyTree(string(t.Kernel), dkmsstate.BackupName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	return nil
}

// RestoreBackups returns the kernel the builds back that a removal set aside, since it is
// there after all. It says how many there were.
func (t Tree) RestoreBackups() (int, error) {
	return t.backups(func(version *nofollow.Dir) error {
		if version.IsComplete(string(t.Kernel)) || !version.IsComplete(dkmsstate.BackupName(t.Kernel)) {
			return t.discardBackup(version) // it was rebuilt meanwhile, or the backup is not complete
		}
		if err := version.MoveTree(dkmsstate.BackupName(t.Kernel), string(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
			return fmt.Errorf("cannot give back a build that was set aside: %w", err)
		}
		return nil
	})
}

// DiscardBackups removes what a removal set aside, since the kernel is gone.
func (t Tree) DiscardBackups() error {
	_, err := t.backups(t.discardBackup)
	return err
}

// backups does something in each module's version that has a spare.
func (t Tree) backups(do func(version *nofollow.Dir) error) (int, error) {
	found := t.Layout.VersionsWith(dkmsstate.BackupName(t.Kernel))
	var errs []error
	for _, m := range found {
		version, err := t.openVersion(m)
		if err == nil {
			err = do(version)
			version.Close()
		}
		errs = append(errs, err)
	}
	return len(found), errors.Join(errs...)
}
