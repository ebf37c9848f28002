package dkmsstate

import (
	"path/filepath"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// findLeftovers finds files that only a killed program can have left: temporary files of
// depmod, our backup of its files, files that were being installed, and links that were being
// created. Files that may still be of use to other programs are left alone, as the stock hooks
// do: initrd.img-KVER.new of update-initramfs, and MODULE/VERSION/build, in which dkms keeps
// the log of a failure. files are those in the install directory.
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
	for _, path := range s.temps() {
		s.Leftovers = append(s.Leftovers, filepath.Join(kernel, path))
	}
}

// IsModuleTemp reports whether a name is the temporary name of a module file.
func IsModuleTemp(temp string) bool {
	name, ok := nofollow.NameOfTemp(temp)
	return ok && kmod.TrimSuffix(name) != name
}
