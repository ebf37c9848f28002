package dkmsstate

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Taken returns which other module has installed a file of a build, and which file, or "" if
// none has. The installed one stays: with two packages that contain the same module, each would
// otherwise replace the other one at every run.
func (s Snapshot) Taken(b Build) string {
	for _, other := range s.Builds {
		if other.Arch != b.Arch || other.Module.Name == b.Module.Name || !s.Linked(other) {
			continue
		}
		for _, f := range other.Files {
			if f.Copy != kmod.CopyMissing && f.Copy != CopyForeign && slices.Contains(b.Names(), kmod.TrimSuffix(f.Name)) {
				return fmt.Sprintf("%s is installed and also contains %s", other.Module, f.Installed)
			}
		}
	}
	return ""
}
