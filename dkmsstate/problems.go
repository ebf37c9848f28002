package dkmsstate

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Missing returns the names of the build's files that are not installed.
func (b Build) Missing() []string {
	var names []string
	for _, f := range b.Files {
		if f.Copy == kmod.CopyMissing {
			names = append(names, f.Name)
		}
	}
	return names
}

// Problem returns what is wrong with the installed files of a build, or "" if nothing is.
func (b Build) Problem() string {
	for _, f := range b.Files {
		switch {
		case f.Overwritten && b.Overwritten():
			return f.Name + " in " + f.Dir + " was replaced by the kernel's own module"
		case f.Copy == kmod.CopyMissing && (f.InKernel || f.Absent):
			// dkms 3.0 counts a module as installed that it did not install because the kernel
			// itself has the same version or a newer one.
		case f.Copy == kmod.CopyMissing && f.Dir == "": // only dkms knows where it is
		case f.Copy == kmod.CopyMissing:
			return f.Name + " is not in " + f.Dir
		case f.Copy == kmod.CopyDamaged, f.OtherABI && b.Fresh.Verdict == Fresh:
			return fmt.Sprintf("%s in %s is not the built file: it %s", f.Installed, f.Dir, f.Reason)
		}
		if len(f.OtherCompressions) > 0 {
			return f.OtherCompressions[0] + " is a duplicate in " + f.Dir
		}
	}
	return ""
}

// Overwritten reports whether the kernel's own modules were put in the place of installed ones,
// as unpacking a kernel does where dkms replaces these. dkms archived the kernel's own when it
// installed the build.
func (b Build) Overwritten() bool {
	return b.Original && slices.ContainsFunc(b.Files, func(f File) bool { return f.Overwritten })
}

// Unusual returns how the installed files of a build without a Problem differ from the built
// ones, or "" if they do not.
func (b Build) Unusual() string {
	for _, f := range b.Files {
		if f.Copy == kmod.CopyAltered || f.Copy == CopyForeign {
			return fmt.Sprintf("%s in %s %s", f.Installed, f.Dir, f.Reason)
		}
	}
	return ""
}

// AsBuilt reports whether something of a build is installed, and none of it is altered or
// another module's.
func (b Build) AsBuilt() bool {
	return b.AnyCopy() && !slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered || f.Copy == CopyForeign })
}

// Altered reports whether an installed file differs from the built one and is not damaged:
// somebody put it there.
func (b Build) Altered() bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered })
}

// AnyCopy reports whether any file is installed under the names of a build's files, except
// those of another module.
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
