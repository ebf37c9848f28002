package apply

import (
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// makeBackup renames MODULE/VERSION/KVER to its BackupName. It replaces an older backup. It
// reports false if there is no complete build or the build cannot be renamed.
func (t Tree) makeBackup(version *nofollow.Dir) (bool, error) {
	if !version.IsComplete(string(t.Kernel)) {
		return false, nil
	}
	if err := t.discardBackup(version); err != nil {
		return false, err
	}
	return version.MoveTree(string(t.Kernel), dkmsstate.BackupName(t.Kernel), dkmsstate.TrashName(t.Kernel)) == nil, nil
}

// discardBackup removes a backup. It is renamed first, so that no part of it is taken for a
// backup.
func (t Tree) discardBackup(version *nofollow.Dir) error {
	if err := version.RemoveTree(dkmsstate.BackupName(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove the backup of a build: %w", err)
	}
	return nil
}

// linkBackup makes a backup of a build that dkms itself is about to remove. The files of the
// backup are hard links.
func (t Tree) linkBackup(m dkmsstate.Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return fmt.Errorf("cannot back up the build: %w", err)
	}
	defer version.Close()
	if err := version.CopyTree(string(t.Kernel), dkmsstate.BackupName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot back up the build: %w", err)
	}
	return nil
}

// RestoreBackups restores the builds of the kernel that a removal backed up, since the kernel
// stays after all. It returns the number of backups.
func (t Tree) RestoreBackups() (int, error) {
	return t.backups(func(version *nofollow.Dir) error {
		if version.IsComplete(string(t.Kernel)) || !version.IsComplete(dkmsstate.BackupName(t.Kernel)) {
			return t.discardBackup(version) // it was rebuilt since, or the backup is not complete
		}
		if err := version.MoveTree(dkmsstate.BackupName(t.Kernel), string(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
			return fmt.Errorf("cannot restore the backup of a build: %w", err)
		}
		return nil
	})
}

// DiscardBackups removes the backups of a removal, since the kernel is gone.
func (t Tree) DiscardBackups() error {
	_, err := t.backups(t.discardBackup)
	return err
}

// backups calls do for each module version that has a backup, and returns their number.
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
