package record

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// KeepInitramfs copies the initramfs of a kernel into the hooks' own directory, before it is
// replaced. It is not kept in its own directory, which may be small and is searched by boot
// loaders. The caller must hold the lock of AcquireInitramfs.
func KeepInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	dir, err := OpenOwn(l, dkmsstate.KeptInitramfsDir)
	if err == nil {
		defer dir.Close()
		err = dir.ReplaceFile(string(kernel), l.InitramfsPath(kernel))
	}
	if err != nil {
		return fmt.Errorf("cannot keep a copy of the present one: %w", err)
	}
	return nil
}

// PutBackInitramfs replaces the initramfs of a kernel with the one that is kept.
func PutBackInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	path := l.InitramfsPath(kernel)
	dir, err := l.NoFollow().OpenPath(filepath.Dir(path))
	if err == nil {
		defer dir.Close()
		err = dir.ReplaceFile(filepath.Base(path), l.KeptInitramfsPath(kernel))
	}
	if err != nil {
		return fmt.Errorf("cannot put back the one before (manually: cp %s %s): %w", l.KeptInitramfsPath(kernel), path, err)
	}
	return nil
}

// DropInitramfs removes the initramfs that is kept, and copies that a killed run did not finish.
func DropInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	kept, present := l.KeptInitramfsPath(kernel), l.InitramfsPath(kernel)
	for _, path := range []string{kept, filepath.Join(filepath.Dir(kept), nofollow.TempName(filepath.Base(kept))),
		filepath.Join(filepath.Dir(present), nofollow.TempName(filepath.Base(present)))} {
		if !dkmsstate.Exists(path) { // a read-only filesystem refuses to remove what does not exist
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("cannot remove a copy of the initramfs: %w", err)
		}
	}
	return nil
}

// ListHeld adds modules to the list of those that an initramfs of the kernel contained as the
// kernel's own.
func ListHeld(l dkmsstate.Layout, kernel dkmsstate.Release, names []string) error {
	before := l.HeldNames(kernel)
	names = slices.Concat(before, names)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == len(before) {
		return nil
	}
	if err := writeOwn(l, filepath.Join(dkmsstate.HeldDir, string(kernel)), []byte(strings.Join(names, "\n")+"\n")); err != nil {
		return fmt.Errorf("cannot list the modules of the initramfs: %w", err)
	}
	return nil
}

// DropHeld removes the list of ListHeld.
func DropHeld(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.HeldDir, string(kernel)))
}
