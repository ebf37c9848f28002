package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// depmodBackup is where the files of depmod stand a second time while it runs. On a
// full disk depmod puts truncated ones into place (kmod 30 and 34), and a kernel
// without its modules.dep.bin finds none of its modules.
const depmodBackup = ".dkms-hooks"

// depmod runs depmod for the kernel. When it fails, the files are as they were.
func (m Machine) depmod(ctx context.Context, kernel Release) error {
	tree := Tree{Layout: m.Layout, Kernel: kernel}
	dir, err := tree.openKernel()
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := backUp(dir); err != nil {
		return errors.Join(fmt.Errorf("cannot secure the files of depmod, it was not run: %w", err), removeAll(dir, depmodBackup))
	}
	if err := m.Engine.Depmod(ctx, kernel); err != nil {
		return errors.Join(explain(err, ""), bringBack(dir))
	}
	return removeAll(dir, depmodBackup)
}

// backUp gives the files of depmod second names.
func backUp(dir *os.Root) error {
	if err := removeAll(dir, depmodBackup); err != nil {
		return err
	}
	if err := dir.Mkdir(depmodBackup, 0o755); err != nil {
		return err
	}
	return withDir(dir, func(fd int) error {
		for _, name := range depmodFiles() {
			err := unix.Linkat(fd, name, fd, filepath.Join(depmodBackup, name), 0)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
}

// bringBack puts the files of depmod back; what was not there before goes, and with
// it what depmod left of those that it was writing.
func bringBack(dir *os.Root) error {
	err := withDir(dir, func(fd int) error {
		for _, name := range depmodFiles() {
			err := unix.Renameat(fd, filepath.Join(depmodBackup, name), fd, name)
			if errors.Is(err, fs.ErrNotExist) {
				err = unix.Unlinkat(fd, name, 0)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot bring back the files of depmod: %w", err)
	}
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return fmt.Errorf("cannot look for what depmod left: %w", err)
	}
	for _, entry := range entries {
		if isDepmodTemp(entry.Name()) {
			if err := removeAll(dir, entry.Name()); err != nil {
				return err
			}
		}
	}
	// rename(2) of one name of a file to another does nothing, so that some may stay
	return removeAll(dir, depmodBackup)
}

// isDepmodTemp says that a name is one that depmod writes under: modules.dep.PID.….
func isDepmodTemp(name string) bool {
	for _, own := range depmodFiles() {
		rest, ok := strings.CutPrefix(name, own+".")
		if ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return true
		}
	}
	return false
}
