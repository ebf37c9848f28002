package dkmsstate

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Missing returns the files of a build that are not installed.
func (b Build) Missing() []string {
	var names []string
	for _, f := range b.Files {
		if f.Copy == kmod.CopyMissing {
			names = append(names, f.Name)
		}
	}
	return names
}

// Problem says what is wrong with the installed files of a build, "" for nothing.
func (b Build) Problem() string {
	for _, f := range b.Files {
		switch {
		case f.Copy == kmod.CopyMissing && (f.InKernel || f.Absent):
			// dkms 3.0 counts a module as installed that it did not install
			// because the kernel has the same version or a newer one itself.
		case f.Copy == kmod.CopyMissing:
			return f.Name + " is not in " + InstalledUnder
		case f.Copy == kmod.CopyDamaged, f.OtherABI && b.Fresh.Verdict == Fresh:
			return fmt.Sprintf("%s in %s is not the one that was built: it %s", f.Installed, InstalledUnder, f.Reason)
		}
		if len(f.OtherCompressions) > 0 {
			return f.OtherCompressions[0] + " is beside it in " + InstalledUnder
		}
	}
	return ""
}

// Unusual says in what way the installed files of a build, with which nothing is wrong,
// are not those that were built, "" for none.
func (b Build) Unusual() string {
	for _, f := range b.Files {
		if f.Copy == kmod.CopyAltered || f.Copy == CopyForeign {
			return fmt.Sprintf("%s in %s %s", f.Installed, InstalledUnder, f.Reason)
		}
	}
	return ""
}

// AsBuilt reports whether what is installed of a build is what was built, and something is.
func (b Build) AsBuilt() bool {
	return b.AnyCopy() && !slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered || f.Copy == CopyForeign })
}

// Altered reports whether a file that stands in the place of a build's is neither that nor
// damaged: somebody put it there.
func (b Build) Altered() bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered })
}

// AnyCopy reports whether anything is installed in the names of a build's files that is not
// another module's.
func (b Build) AnyCopy() bool {
	for _, f := range b.Files {
		if f.Copy != kmod.CopyMissing && f.Copy != CopyForeign || len(f.OtherCompressions) > 0 {
			return true
		}
	}
	return false
}

// InstalledAsBuilt reports whether a file of a build is installed as it was built.
func (b Build) InstalledAsBuilt(name string) bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return kmod.TrimSuffix(f.Name) == kmod.TrimSuffix(name) && f.Copy == kmod.CopySame })
}
