package dkmsstate

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"dkms-hooks/dkmsstate/nofollow"
)

// depmodPendingPrefix begins the name of the file by which dkms 3.2 notes that it owes
// a kernel a depmod: depmod-pending-KVER-ARCH in the tree. A dkms that is killed,
// or that was called with --no-depmod, leaves it behind.
const depmodPendingPrefix = "depmod-pending-"

// depmodPending returns those among the names of files at the top of the tree that are
// such notes of this kernel.
func depmodPending(kernel Release, names []string) []string {
	var notes []string
	for _, name := range names {
		arch, ok := strings.CutPrefix(name, depmodPendingPrefix+string(kernel)+"-")
		if ok && arch != "" && !strings.Contains(arch, "-") {
			notes = append(notes, name)
		}
	}
	return notes
}

// RemoveDepmodPending removes dkms's notes of a depmod that it owed the kernel.
func (t Tree) RemoveDepmodPending() error {
	var names []string
	entries, _ := os.ReadDir(t.Layout.treePath())
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if names = depmodPending(t.Kernel, names); len(names) == 0 {
		return nil
	}
	tree, err := t.Layout.root().OpenDir(t.Layout.DKMSTree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	return removeFiles(tree, names)
}

// scratchPrefix begins the names in MODULE/VERSION/KVER that dkms (3.1.7 and later)
// builds in.
const scratchPrefix = ".tmp_"

// isScratch reports whether a name in MODULE/VERSION/KVER is of something that is being
// made or removed.
func isScratch(name string) bool {
	return strings.HasPrefix(name, scratchPrefix) || name == nofollow.PartialMark
}

// RemoveScratch removes what a run that was cut off left for a module on the
// kernel: dkms's scratch directories and builds that were being removed.
func (t Tree) RemoveScratch(m Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return err
	}
	defer version.Close()
	err = version.RemoveAll(trashName(t.Kernel))
	if st, statErr := version.Lstat(string(t.Kernel)); statErr == nil && st.IsDir() && !version.IsComplete(string(t.Kernel)) {
		err = errors.Join(err, version.RemoveTree(string(t.Kernel), trashName(t.Kernel)))
	}
	if err != nil {
		return fmt.Errorf("cannot remove what was left of a build: %w", err)
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
		return fmt.Errorf("cannot look for what was left of a build: %w", err)
	}
	for _, name := range names {
		if !isScratch(name) {
			continue
		}
		if err := kernel.RemoveAll(name); err != nil {
			return fmt.Errorf("cannot remove what was left of a build: %w", err)
		}
	}
	return nil
}

// RemoveArch removes a module's kernel link and build of one architecture. The
// installed files stay: they have the same names for every architecture, and are
// another build's.
func (t Tree) RemoveArch(m Module, arch string) error {
	if err := t.RemoveLink(m.Name, arch); err != nil {
		return err
	}
	kernel, err := t.openTree(m.Name, m.Version, string(t.Kernel))
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer kernel.Close()
	if err := kernel.RemoveAll(arch); err != nil {
		return fmt.Errorf("cannot remove the build: %w", err)
	}
	return nil
}

// RemoveLink removes the kernel link of a module name on an architecture.
func (t Tree) RemoveLink(name, arch string) error {
	module, err := t.openTree(name)
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer module.Close()
	return removeFiles(module, []string{linkName(t.Kernel, arch)})
}

// RemoveUnowned removes files from the kernel's install directory, by name.
func (t Tree) RemoveUnowned(names []string) error {
	dir, err := t.openInstall()
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return removeFiles(dir, names)
}

// removeFiles removes files of a directory; those that are not there are no error.
func removeFiles(d *nofollow.Dir, names []string) error {
	for _, name := range names {
		if err := d.Remove(name); err != nil && !nofollow.IsNotExist(err) {
			return fmt.Errorf("cannot remove %s: %w", name, err)
		}
	}
	return nil
}
