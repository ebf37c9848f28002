package dkmsstate

import (
	"path/filepath"

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
	for _, name := range fileNames(s.Layout.KernelDir(s.Kernel)) {
		if name == DepmodBackup || LeftByDepmod(s.Layout, name) {
			s.Leftovers = append(s.Leftovers, filepath.Join(kernel, name))
		}
	}
	for _, name := range files {
		if IsModuleTemp(name) {
			s.Leftovers = append(s.Leftovers, filepath.Join(kernel, InstalledUnder, name))
		}
	}
}

// IsModuleTemp reports whether a name is the temporary one of a module file.
func IsModuleTemp(temp string) bool {
	name, ok := nofollow.NameOfTemp(temp)
	return ok && kmod.TrimSuffix(name) != name
}
