package dkmsstate

import (
	"os"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// KeptInitramfsDir contains the initramfs of a kernel while it is being replaced. HeldDir contains a
// file for each kernel that lists the modules of the kernel itself which its initramfs contained
// before modules of DKMS took their place.
const (
	KeptInitramfsDir = "initramfs-kept"
	HeldDir          = "initramfs-held"
)

// KeptInitramfsPath returns the path of the kernel's initramfs that is kept while it is being
// replaced.
func (l Layout) KeptInitramfsPath(kernel Release) string {
	return filepath.Join(l.Path(StateDir), KeptInitramfsDir, string(kernel))
}

// KeptInitramfs reports whether an interrupted run left the kernel's initramfs from before. It does
// not count if the kernel was unpacked since: its modules may be for another ABI.
func (l Layout) KeptInitramfs(kernel Release) bool {
	kept, err := os.Stat(l.KeptInitramfsPath(kernel))
	if err != nil {
		return false
	}
	for _, path := range append(l.Images(kernel), filepath.Join(l.KernelDir(kernel), "modules.order")) {
		if info, err := os.Stat(path); err == nil && Changed(info).After(Changed(kept)) {
			return false
		}
	}
	return true
}

// HeldNames returns the modules of record.ListHeld, as lsmod(8) prints them.
func (l Layout) HeldNames(kernel Release) []string {
	data, _ := regular.ReadFile(filepath.Join(l.Path(StateDir), HeldDir, string(kernel)))
	return strings.Fields(string(data))
}
