package apply

import (
	"context"
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/nofollow"
)

// depmod runs depmod for the kernel. When it fails, the files are as they were. Where
// they cannot be secured it runs all the same, as the stock hooks run it, unless there
// is no room for what it writes.
func (m Machine) depmod(ctx context.Context, kernel dkmsstate.Release) error {
	dir, err := Tree{Layout: m.Layout, Kernel: kernel}.openKernel()
	if err != nil { // there is a link that is not followed here
		if runErr := m.Engine.Depmod(ctx, kernel); runErr != nil {
			return errors.Join(dkms.ExplainByLog(runErr, ""), fmt.Errorf("its files could not be secured before: %w", err))
		}
		return nil
	}
	defer dir.Close()
	unsecured := backUp(dir)
	if unsecured != nil {
		err := dir.RemoveAll(dkmsstate.DepmodBackup)
		if nofollow.IsNoSpace(unsecured) && !roomForDepmod(dir) {
			return errors.Join(fmt.Errorf("cannot secure the files of depmod, it was not run: %w", unsecured), err)
		}
	}
	err = m.Engine.Depmod(ctx, kernel)
	switch {
	case err == nil:
		return dir.RemoveAll(dkmsstate.DepmodBackup)
	case unsecured != nil:
		return errors.Join(dkms.ExplainByLog(err, ""), fmt.Errorf("its files could not be secured before: %w", unsecured), removeDepmodTemps(m.Layout, dir))
	}
	return errors.Join(dkms.ExplainByLog(err, ""), bringBack(m.Layout, dir))
}

// backUp links the files of depmod to second names, or copies them.
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

// bringBack puts the files of depmod back; what was not there before goes, and with
// it what depmod left of those that it was writing.
func bringBack(l dkmsstate.Layout, d *nofollow.Dir) error {
	backup, err := d.Sub(dkmsstate.DepmodBackup)
	if err != nil {
		return fmt.Errorf("cannot bring back the files of depmod: %w", err)
	}
	defer backup.Close()
	for _, name := range dkmsstate.DepmodFiles() {
		err := backup.MoveFile(name, d, name)
		if nofollow.IsNotExist(err) {
			err = d.RemoveAll(name)
		}
		if err != nil {
			return fmt.Errorf("cannot bring back the files of depmod: %w", err)
		}
	}
	// rename(2) of one name of a file to another does nothing, so that some may stay
	return errors.Join(removeDepmodTemps(l, d), d.RemoveAll(dkmsstate.DepmodBackup))
}

// removeDepmodTemps removes what a depmod that ended left of the files that it was
// writing.
func removeDepmodTemps(l dkmsstate.Layout, d *nofollow.Dir) error {
	names, err := d.Names()
	if err != nil {
		return fmt.Errorf("cannot look for what depmod left: %w", err)
	}
	var left []string
	for _, name := range names {
		if dkmsstate.LeftByDepmod(l, name) {
			left = append(left, name)
		}
	}
	return removeFiles(d, left)
}

// roomForDepmod reports whether there is room for what depmod writes: one file after
// the other, each in place of an older one.
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
