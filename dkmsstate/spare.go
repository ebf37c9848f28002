package dkmsstate

import (
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate/nofollow"
)

// spareName is what MODULE/VERSION/KVER is called between a removal's prerm and
// the end of that run of dpkg. Nobody can tell in prerm whether the removal will
// be aborted, and the headers may be gone by then.
func spareName(kernel Release) string { return ".spare-" + string(kernel) }

// setAside makes MODULE/VERSION/KVER the spare, in place of an older one. It is
// false when there is nothing to set aside or when that cannot be done.
func (t Tree) setAside(version *nofollow.Dir) (bool, error) {
	if !version.IsComplete(string(t.Kernel)) {
		return false, nil
	}
	if err := t.dropSpare(version); err != nil {
		return false, err
	}
	return version.MoveTree(string(t.Kernel), spareName(t.Kernel), asideName(t.Kernel)) == nil, nil
}

// dropSpare removes a spare, renamed first to what is never taken for one.
func (t Tree) dropSpare(version *nofollow.Dir) error {
	if err := version.RemoveTree(spareName(t.Kernel), asideName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove what was set aside: %w", err)
	}
	return nil
}

// linkSpare makes a spare of a build that dkms is about to remove itself, as
// second names of the same files.
func (t Tree) linkSpare(m Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	defer version.Close()
	if err := version.CopyTree(string(t.Kernel), spareName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot set the build aside: %w", err)
	}
	return nil
}

// Revive returns the kernel the builds back that a removal set aside, since it is
// there after all. It says how many there were.
func (t Tree) Revive() (int, error) {
	return t.spares(func(version *nofollow.Dir) error {
		if version.IsComplete(string(t.Kernel)) || !version.IsComplete(spareName(t.Kernel)) {
			return t.dropSpare(version) // it was built anew meanwhile, or not set aside to the end
		}
		if err := version.MoveTree(spareName(t.Kernel), string(t.Kernel), asideName(t.Kernel)); err != nil {
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
func (t Tree) spares(do func(version *nofollow.Dir) error) (int, error) {
	found := t.Layout.versionsWith(spareName(t.Kernel))
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
