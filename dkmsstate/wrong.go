package dkmsstate

import "fmt"

// wrong says what is wrong with the installed files of a build, "" for nothing.
func (b Build) wrong() string {
	for _, f := range b.Files {
		switch f.Copy {
		case CopyMissing:
			// dkms 3.0 counts a module as installed that it did not install
			// because the kernel has the same version or a newer one itself.
			if !f.InKernel {
				return f.Name + " is not in " + installedUnder
			}
		case CopyDiffers:
			return f.Name + " in " + installedUnder + " is not the one that was built"
		}
		if len(f.Twins) > 0 {
			return f.Twins[0] + " stands beside it in " + installedUnder
		}
	}
	return ""
}

func (b Build) anyCopy() bool {
	for _, f := range b.Files {
		if f.Copy != CopyMissing || len(f.Twins) > 0 {
			return true
		}
	}
	return false
}

// owedReason is why depmod runs when dkms noted that it is to.
const owedReason = "a run that was cut off left word that it is due"

// depmodReason says why modules.dep does not fit what is installed.
func (s Snapshot) depmodReason() string {
	switch {
	case !s.There:
		return ""
	case s.Owed && !s.Busy:
		return owedReason
	}
	here := map[string]bool{}
	named := s.Dep.Names()
	for _, b := range s.Builds {
		link, ok := s.Link(b.Module.Name, b.Arch)
		if !ok || link.Version != b.Module.Version {
			continue
		}
		for _, f := range b.Files {
			here[f.Name] = f.Copy != CopyMissing
			if here[f.Name] && !named(f.Name) {
				return "modules.dep does not name " + f.Name
			}
		}
	}
	for _, name := range s.Stray {
		here[name] = true
	}
	for _, name := range s.Dep.Installed() {
		if !here[name] && !anyExists(s.Layout.installDir(s.Kernel), name) {
			return fmt.Sprintf("modules.dep names %s, which is gone", name)
		}
	}
	return ""
}
