package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// spareName is what MODULE/VERSION/KVER is called between a removal's prerm and
// the end of that run of dpkg. Nobody can tell in prerm whether the removal will
// be aborted, and the headers may be gone by then.
func spareName(kernel Release) string { return ".spare-" + string(kernel) }

// setAside makes MODULE/VERSION/KVER the spare, in place of an older one. It is
// false when there is nothing to set aside or when that cannot be done.
func (t Tree) setAside(version *os.Root) (bool, error) {
	if _, err := version.Lstat(string(t.Kernel)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := t.dropSpare(version); err != nil {
		return false, err
	}
	// EXDEV: a directory of an overlay's lower layer cannot be renamed
	return renameIn(version, string(t.Kernel), spareName(t.Kernel)) == nil, nil
}

// dropSpare removes a spare, renamed first to what is never taken for one.
func (t Tree) dropSpare(version *os.Root) error {
	err := renameIn(version, spareName(t.Kernel), asideName(t.Kernel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = removeAll(version, asideName(t.Kernel))
	}
	if err != nil {
		return fmt.Errorf("cannot remove what was set aside: %w", err)
	}
	return nil
}

// linkSpare makes a spare of a build that dkms is about to remove itself, as
// second names of the same files.
func (t Tree) linkSpare(m Module) error {
	dir := filepath.Join(t.Layout.tree(), m.Name, m.Version)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	defer root.Close()
	err = errors.Join(removeAll(root, asideName(t.Kernel)), linkTree(filepath.Join(dir, string(t.Kernel)), filepath.Join(dir, asideName(t.Kernel))))
	if err == nil {
		err = errors.Join(removeAll(root, spareName(t.Kernel)), renameIn(root, asideName(t.Kernel), spareName(t.Kernel)))
	}
	if err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	return nil
}

// linkTree gives the files of a directory second names in another.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Mkdir(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}

// Revive gives the kernel the builds back that a removal set aside, since it is
// there after all. It says how many there were.
func (t Tree) Revive() (int, error) {
	return t.spares(func(version *os.Root) error {
		if _, err := version.Lstat(string(t.Kernel)); err == nil {
			return t.dropSpare(version) // it was built anew meanwhile
		}
		if err := renameIn(version, spareName(t.Kernel), string(t.Kernel)); err != nil {
			return fmt.Errorf("cannot give back a build that was set aside: %w", err)
		}
		return nil
	})
}

// DropSpares removes what a removal set aside, since the kernel is gone.
func (t Tree) DropSpares() error {
	_, err := t.spares(t.dropSpare)
	return err
}

// spares does something in each module's version that has a spare.
func (t Tree) spares(do func(version *os.Root) error) (int, error) {
	found, err := filepath.Glob(filepath.Join(t.Layout.tree(), "*", "*", spareName(t.Kernel)))
	if err != nil || len(found) == 0 {
		return 0, err
	}
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return 0, fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	var errs []error
	for _, path := range found {
		dir := filepath.Dir(path)
		version, err := openSub(tree, filepath.Base(filepath.Dir(dir)), filepath.Base(dir))
		if err == nil {
			err = do(version)
			version.Close()
		}
		errs = append(errs, err)
	}
	return len(found), errors.Join(errs...)
}
