package dkmsstate

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// wrong says what is wrong with the installed files of a build, "" for nothing.
func (b Build) wrong() string {
	for _, f := range b.Files {
		switch {
		case f.Copy == kmod.CopyMissing && (f.InKernel || f.Absent):
			// dkms 3.0 counts a module as installed that it did not install
			// because the kernel has the same version or a newer one itself.
		case f.Copy == kmod.CopyMissing:
			return f.Name + " is not in " + installedUnder
		case f.Copy == kmod.CopyDamaged, f.OtherABI && b.Fresh.Verdict == Fresh:
			return fmt.Sprintf("%s in %s is not the one that was built: it %s", f.Installed, installedUnder, f.Reason)
		}
		if len(f.OtherCompressions) > 0 {
			return f.OtherCompressions[0] + " stands beside it in " + installedUnder
		}
	}
	return ""
}

// Unusual says in what way the installed files of a build, with which nothing is wrong,
// are not those that were built, "" for none.
func (b Build) Unusual() string {
	for _, f := range b.Files {
		if f.Copy == kmod.CopyAltered || f.Copy == CopyForeign {
			return fmt.Sprintf("%s in %s %s", f.Installed, installedUnder, f.Reason)
		}
	}
	return ""
}

// asBuilt reports whether what is installed of a build is what was built, and something is.
func (b Build) asBuilt() bool {
	return b.anyCopy() && !slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered || f.Copy == CopyForeign })
}

// altered reports whether a file that stands in the place of a build's is neither that nor
// damaged: somebody put it there.
func (b Build) altered() bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyAltered })
}

// anyCopy reports whether anything is installed in the names of a build's files that is not
// another module's.
func (b Build) anyCopy() bool {
	for _, f := range b.Files {
		if f.Copy != kmod.CopyMissing && f.Copy != CopyForeign || len(f.OtherCompressions) > 0 {
			return true
		}
	}
	return false
}

// depmodPendingReason is why depmod runs when dkms noted that it is to.
const depmodPendingReason = "a run that was cut off left word that it is due"

// depmodReason says why modules.dep does not fit what is installed.
func (s Snapshot) depmodReason() string {
	switch {
	case !s.There:
		return ""
	case s.DepmodPending && !s.DKMSRunning:
		return depmodPendingReason
	}
	here := map[string]bool{}
	named := s.Dep.Names()
	for _, b := range s.Builds {
		link, ok := s.Link(b.Module.Name, b.Arch)
		if !ok || link.Version != b.Module.Version {
			continue
		}
		for _, f := range b.Files {
			if f.Copy == kmod.CopyMissing {
				continue
			}
			here[f.Installed] = true
			if !slices.ContainsFunc(kmod.FileNames(kmod.TrimSuffix(f.Name)), named) {
				return "modules.dep does not name " + f.Installed
			}
		}
	}
	for _, name := range s.Unowned {
		here[name] = true
	}
	for _, name := range s.Dep.Gone {
		if !here[name] {
			return fmt.Sprintf("modules.dep names %s, which is gone", name)
		}
	}
	return ""
}
