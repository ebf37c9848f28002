package plan

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// Taken returns which other module has installed a file of a build, and which file, or "" if
// none has. The installed one stays: with two packages that contain the same module, each would
// otherwise replace the other one at every run.
func Taken(s dkmsstate.Snapshot, b dkmsstate.Build) string {
	for _, other := range s.Builds {
		link, linked := s.Link(other.Module.Name, other.Arch)
		if other.Arch != b.Arch || other.Module.Name == b.Module.Name || !linked || link.Version != other.Module.Version {
			continue
		}
		for _, f := range other.Files {
			if f.Copy != kmod.CopyMissing && f.Copy != dkmsstate.CopyForeign && slices.Contains(b.Names(), kmod.TrimSuffix(f.Name)) {
				return fmt.Sprintf("%s is installed and also contains %s", other.Module, f.Installed)
			}
		}
	}
	return ""
}
