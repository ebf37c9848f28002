package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// depmodFiles are the files that depmod(8) writes into a kernel's directory.
func depmodFiles() []string {
	return []string{
		"modules.alias", "modules.alias.bin", "modules.builtin.alias.bin", "modules.builtin.bin", "modules.dep",
		"modules.dep.bin", "modules.devname", "modules.softdep", "modules.symbols", "modules.symbols.bin", "modules.weakdep",
	}
}

// Ghost lists what the directory of a kernel that is gone still holds, as paths
// in it, when that is nothing but what depmod writes and what dkms installs:
// "directory not empty so not removed" is what dpkg said of it. It is nil when
// anything else is there, or when nothing is there at all.
func (t Tree) Ghost() []string {
	dir, err := t.openKernel()
	if err != nil {
		return nil
	}
	defer dir.Close()
	var files, dirs []string
	err = fs.WalkDir(dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".", path.Dir(installedUnder), installedUnder, depmodBackup}, name):
			dirs = append(dirs, name)
		case d.Type().IsRegular() && slices.Contains(depmodFiles(), strings.TrimPrefix(name, depmodBackup+"/")) || isDepmodTemp(name):
			files = append(files, name)
		case d.Type().IsRegular() && path.Dir(name) == installedUnder && trimKo(path.Base(name)) != path.Base(name):
			files = append(files, name)
		default:
			return errors.New("something else")
		}
		return nil
	})
	if err != nil {
		return nil
	}
	slices.Reverse(dirs) // those within others first, the kernel's own last
	return append(files, dirs...)
}

// RemoveGhost removes what Ghost lists.
func (t Tree) RemoveGhost() error {
	install, err := t.Layout.openDir(t.Layout.Install)
	if err != nil {
		return fmt.Errorf("cannot open the module tree: %w", err)
	}
	defer install.Close()
	for _, name := range t.Ghost() {
		err := install.Remove(path.Join(string(t.Kernel), name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove what is left of %s: %w", t.Kernel, err)
		}
	}
	return nil
}

// openKernel opens the kernel's directory of the module tree.
func (t Tree) openKernel() (*os.Root, error) {
	install, err := t.Layout.openDir(t.Layout.Install)
	if err != nil {
		return nil, err
	}
	defer install.Close()
	return openSub(install, string(t.Kernel))
}
