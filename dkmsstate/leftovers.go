package dkmsstate

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// findLeftovers finds files that nobody but a program which was killed can have left:
// what depmod was writing, our own second names of its files and files that were being
// installed, and links that were being made. What others may still mean for something
// is left alone, as the stock hooks leave it: the initrd.img-KVER.new of
// update-initramfs, and MODULE/VERSION/build, in which dkms keeps the log of a failure.
// files are those in the install directory.
func (s *Snapshot) findLeftovers(files []string) {
	kernel := filepath.Join(s.Layout.Install, string(s.Kernel))
	for _, name := range fileNames(s.Layout.kernelDir(s.Kernel)) {
		if name == depmodBackup || leftByDepmod(s.Layout, name) {
			s.Leftovers = append(s.Leftovers, filepath.Join(kernel, name))
		}
	}
	for _, name := range files {
		if isModuleTemp(name) {
			s.Leftovers = append(s.Leftovers, filepath.Join(kernel, installedUnder, name))
		}
	}
}

// isModuleTemp reports whether a name is the temporary one of a module file.
func isModuleTemp(temp string) bool {
	name, ok := nofollow.NameOfTemp(temp)
	return ok && kmod.TrimSuffix(name) != name
}

// RemoveLeftovers removes what findLeftovers found. A directory that is not there, or
// that is not followed to, holds none.
func (t Tree) RemoveLeftovers(paths []string) error {
	for _, name := range paths {
		in, err := t.openParent(name)
		if nofollow.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = in.RemoveAll(path.Base(name))
			in.Close()
		}
		if err != nil {
			return fmt.Errorf("cannot remove what an interrupted run left: %w", err)
		}
	}
	return nil
}

// openParent opens the directory of a path of the system that is in one of the trees.
func (t Tree) openParent(name string) (*nofollow.Dir, error) {
	if rel, ok := strings.CutPrefix(path.Dir(name), t.Layout.Install+"/"); ok {
		return t.openModules(rel)
	}
	rel, ok := strings.CutPrefix(path.Dir(name), t.Layout.DKMSTree+"/")
	if !ok {
		return nil, fmt.Errorf("%s is in no tree of dkms", name)
	}
	return t.openTree(strings.Split(rel, "/")...)
}
