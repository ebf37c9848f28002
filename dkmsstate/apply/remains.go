package apply

import (
	"errors"
	"fmt"
	"os"
	"path"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// RemoveDepmodPending removes the notes of dkms that the kernel needs a depmod.
func (t Tree) RemoveDepmodPending() error {
	var names []string
	entries, _ := os.ReadDir(t.Layout.TreePath())
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if names = dkmsstate.DepmodPending(t.Kernel, names); len(names) == 0 {
		return nil
	}
	tree, err := t.Layout.NoFollow().OpenDir(t.Layout.DKMSTree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	return removeFiles(tree, names)
}

// removeScratch removes what an interrupted run left for a module on the kernel: scratch
// directories of dkms, and builds that were being removed.
func (t Tree) removeScratch(m dkmsstate.Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return err
	}
	defer version.Close()
	err = version.RemoveAll(dkmsstate.TrashName(t.Kernel))
	if st, statErr := version.Lstat(string(t.Kernel)); statErr == nil && st.IsDir() && !version.IsComplete(string(t.Kernel)) {
		err = errors.Join(err, version.RemoveTree(string(t.Kernel), dkmsstate.TrashName(t.Kernel)))
	}
	if err != nil {
		return fmt.Errorf("cannot remove the leftovers of a build: %w", err)
	}
	kernel, err := version.Descend(string(t.Kernel))
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer kernel.Close()
	defer version.Remove(string(t.Kernel)) // when nothing is left in it
	names, err := kernel.Names()
	if err != nil {
		return fmt.Errorf("cannot look for leftovers of a build: %w", err)
	}
	for _, name := range names {
		if !dkmsstate.IsScratch(name) {
			continue
		}
		if err := kernel.RemoveAll(name); err != nil {
			return fmt.Errorf("cannot remove the leftovers of a build: %w", err)
		}
	}
	return nil
}

// removeArch removes a module's kernel link and build for one architecture. The installed files
// stay: they have the same names for every architecture, and belong to another build.
func (t Tree) removeArch(m dkmsstate.Module, arch string) error {
	if err := t.removeLink(m.Name, arch); err != nil {
		return err
	}
	err := t.removeBuildDir(m, arch, "cannot remove the build")
	if nofollow.IsNotExist(err) {
		return nil
	}
	return err
}

// removeLink removes the kernel link of a module name on an architecture.
func (t Tree) removeLink(name, arch string) error {
	module, err := t.openTree(name)
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer module.Close()
	return removeFiles(module, []string{dkmsstate.LinkName(t.Kernel, arch)})
}

// RemoveInstalled removes files by their paths below the kernel's directory.
func (t Tree) RemoveInstalled(paths []string) error {
	for _, name := range paths {
		if err := t.removeModuleFile(path.Join(string(t.Kernel), name)); err != nil {
			return fmt.Errorf("cannot remove %s: %w", path.Base(name), err)
		}
	}
	return nil
}

// removeFiles removes files of a directory. It is not an error if one does not exist.
func removeFiles(d *nofollow.Dir, names []string) error {
	for _, name := range names {
		if err := d.Remove(name); err != nil && !nofollow.IsNotExist(err) {
			return fmt.Errorf("cannot remove %s: %w", name, err)
		}
	}
	return nil
}
