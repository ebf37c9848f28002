package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pendingPrefix begins the name of the file by which dkms 3.2 notes that it owes
// a kernel a depmod: depmod-pending-KVER-ARCH in the tree. A dkms that is killed,
// or that was called with --no-depmod, leaves it behind.
const pendingPrefix = "depmod-pending-"

// pendingOf gives those among the names of files at the top of the tree that are
// such notes of this kernel.
func pendingOf(kernel Release, names []string) []string {
	var notes []string
	for _, name := range names {
		arch, ok := strings.CutPrefix(name, pendingPrefix+string(kernel)+"-")
		if ok && arch != "" && !strings.Contains(arch, "-") {
			notes = append(notes, name)
		}
	}
	return notes
}

// RemovePending removes dkms's notes of a depmod that it owed the kernel.
func (t Tree) RemovePending() error {
	var names []string
	entries, _ := os.ReadDir(t.Layout.tree())
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if names = pendingOf(t.Kernel, names); len(names) == 0 {
		return nil
	}
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	return removeFiles(tree, names)
}

// isScratch says that a name in MODULE/VERSION/KVER is one that dkms (3.1.7 and
// later) builds in.
func isScratch(name string) bool { return strings.HasPrefix(name, ".tmp_") }

// RemoveScratch removes what a run that was cut off left for a module on the
// kernel: dkms's scratch directories and builds that were being removed.
func (t Tree) RemoveScratch(m Module) error {
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	version, err := openSub(tree, m.Name, m.Version)
	if err != nil {
		return err
	}
	defer version.Close()
	if err := removeAll(version, asideName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove what was left of a build: %w", err)
	}
	kernel, err := openSub(version, string(t.Kernel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer kernel.Close()
	defer version.Remove(string(t.Kernel)) // when nothing is left in it
	entries, err := fs.ReadDir(kernel.FS(), ".")
	if err != nil {
		return fmt.Errorf("cannot look for what was left of a build: %w", err)
	}
	for _, entry := range entries {
		if !isScratch(entry.Name()) {
			continue
		}
		if err := removeAll(kernel, entry.Name()); err != nil {
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
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	kernel, err := openSub(tree, m.Name, m.Version, string(t.Kernel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer kernel.Close()
	if err := removeAll(kernel, arch); err != nil {
		return fmt.Errorf("cannot remove the build: %w", err)
	}
	return nil
}

// RemoveLink removes the kernel link of a module name on an architecture.
func (t Tree) RemoveLink(name, arch string) error {
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	return removeFiles(tree, []string{filepath.Join(name, linkName(t.Kernel, arch))})
}

// RemoveStray removes files from the kernel's install directory, by name.
func (t Tree) RemoveStray(names []string) error {
	dir, err := t.openInstall()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return removeFiles(dir, names)
}

// removeFiles removes files of a directory; those that are not there are no error.
func removeFiles(dir *os.Root, names []string) error {
	for _, name := range names {
		if err := dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove %s: %w", name, err)
		}
	}
	return nil
}

// dkmsAtWork says whether a dkms runs that is not under our lock, as when a
// person calls it: what looks like remains may be its work then. Programs of ours
// bear the name dkms too, as hooks, but no shell runs them.
func dkmsAtWork() bool {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	return slices.ContainsFunc(comms, func(path string) bool {
		name, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(name)) != "dkms" {
			return false
		}
		program, err := os.Readlink(filepath.Join(filepath.Dir(path), "exe"))
		return err == nil && slices.Contains([]string{"bash", "dash", "sh"}, filepath.Base(program))
	})
}
