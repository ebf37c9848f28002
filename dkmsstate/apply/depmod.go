package apply

import (
	"context"
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/nofollow"
)

// depmod runs depmod for the kernel. If it fails, its files are restored. If they cannot be
// backed up, depmod runs all the same, as in the stock hooks, unless there is no room for what
// it writes.
func (m Machine) depmod(ctx context.Context, kernel dkmsstate.Release) error {
	dir, err := Tree{Layout: m.Layout, Kernel: kernel}.openKernel()
	if err != nil { // there is a link that must not be followed
		if runErr := m.Engine.Depmod(ctx, kernel); runErr != nil {
			return errors.Join(dkms.ExplainByLog(runErr, ""), fmt.Errorf("its files could not be backed up before: %w", err))
		}
		return nil
	}
	defer dir.Close()
	unsecured := backUp(dir)
	if unsecured != nil {
		err := dir.RemoveAll(dkmsstate.DepmodBackup)
		if nofollow.IsNoSpace(unsecured) && !roomForDepmod(dir) {
			return errors.Join(fmt.Errorf("cannot back up the files of depmod, so it was not run: %w", unsecured), err)
		}
	}
	err = m.Engine.Depmod(ctx, kernel)
	switch {
	case err == nil:
		return dir.RemoveAll(dkmsstate.DepmodBackup)
	case unsecured != nil:
		return errors.Join(dkms.ExplainByLog(err, ""), fmt.Errorf("its files could not be backed up before: %w", unsecured), removeDepmodTemps(m.Layout, dir))
	}
	return errors.Join(dkms.ExplainByLog(err, ""), bringBack(m.Layout, dir))
}

// backUp backs up the files of depmod, as hard links or copies.
func backUp(d *nofollow.Dir) error {
	if err := d.RemoveAll(dkmsstate.DepmodBackup); err != nil {
		return err
	}
	if err := d.Mkdir(dkmsstate.DepmodBackup, 0o755); err != nil {
		return err
	}
	backup, err := d.Sub(dkmsstate.DepmodBackup)
	if err != nil {
		return err
	}
	defer backup.Close()
	for _, name := range dkmsstate.DepmodFiles() {
		if err := d.LinkOrCopy(name, backup); err != nil && !nofollow.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// bringBack restores the files of depmod. It removes those that did not exist before, and the
// temporary files that depmod left.
func bringBack(l dkmsstate.Layout, d *nofollow.Dir) error {
	backup, err := d.Sub(dkmsstate.DepmodBackup)
	if err != nil {
		return fmt.Errorf("cannot restore the files of depmod: %w", err)
	}
	defer backup.Close()
	for _, name := range dkmsstate.DepmodFiles() {
		err := backup.MoveFile(name, d, name)
		if nofollow.IsNotExist(err) {
			err = d.RemoveAll(name)
		}
		if err != nil {
			return fmt.Errorf("cannot restore the files of depmod: %w", err)
		}
	}
	// rename(2) does nothing if both names are hard links to one file, so some backups may
	// remain
	return errors.Join(removeDepmodTemps(l, d), d.RemoveAll(dkmsstate.DepmodBackup))
}

// removeDepmodTemps removes the temporary files of a depmod that has ended.
func removeDepmodTemps(l dkmsstate.Layout, d *nofollow.Dir) error {
	names, err := d.Names()
	if err != nil {
		return fmt.Errorf("cannot look for temporary files of depmod: %w", err)
	}
	var left []string
	for _, name := range names {
		if dkmsstate.LeftByDepmod(l, name) {
			left = append(left, name)
		}
	}
	return removeFiles(d, left)
}

// roomForDepmod reports whether there is room for what depmod writes: one file after the other,
// each of which replaces an older one.
func roomForDepmod(d *nofollow.Dir) bool {
	free, known := d.Free()
	if !known {
		return true
	}
	need := int64(1 << 20)
	for _, name := range dkmsstate.DepmodFiles() {
		if st, err := d.Lstat(name); err == nil {
			need = max(need, int64(st.Size)+1<<20)
		}
	}
	return free >= need
}
