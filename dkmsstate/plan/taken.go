package plan

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// Taken says which file of a build another module has installed, "" for none. The one
// that is installed stays: with two packages that bring the same module, each would take
// the other's place at every run.
func Taken(s dkmsstate.Snapshot, b dkmsstate.Build) string {
	for _, other := range s.Builds {
		link, linked := s.Link(other.Module.Name, other.Arch)
		if other.Arch != b.Arch || other.Module.Name == b.Module.Name || !linked || link.Version != other.Module.Version {
			continue
		}
		for _, f := range other.Files {
			if f.Copy != kmod.CopyMissing && f.Copy != dkmsstate.CopyForeign && slices.Contains(b.Names(), kmod.TrimSuffix(f.Name)) {
				return fmt.Sprintf("%s is installed and contains %s too", other.Module, f.Installed)
			}
		}
	}
	return ""
}
