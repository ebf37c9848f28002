package plan

import (
	"fmt"
	"path"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// depmodNoted returns why depmod has to run according to a note, "" for none. What was changed
// before a run ended early may need it although modules.dep names every module.
func depmodNoted(s dkmsstate.Snapshot) string {
	switch {
	case s.Unfinished.Why == dkmsstate.Failed:
		return "an earlier run failed"
	case s.Unfinished.Begun():
		return "an earlier run was interrupted"
	case s.DepmodPending:
		return "dkms noted that it did not run depmod"
	}
	return ""
}

// DepmodReason returns why modules.dep does not fit what is installed, or "" if it does.
func DepmodReason(s dkmsstate.Snapshot) string {
	switch {
	case !s.There:
		return ""
	case depmodNoted(s) != "" && !s.DKMSRunning:
		return depmodNoted(s)
	}
	here := map[string]bool{}
	named := s.Dep.Names()
	for _, b := range s.Builds {
		if !s.Linked(b) {
			continue
		}
		for _, f := range b.Files {
			if f.Copy == kmod.CopyMissing {
				continue
			}
			here[f.Path()] = true
			if sh, shadowed := s.Shadow(f.Path()); shadowed {
				if sh.Certain {
					continue
				}
				return shadowReason(sh)
			}
			if !slices.ContainsFunc(kmod.FileNames(path.Join(f.Dir, kmod.TrimSuffix(f.Name))), named) {
				return "modules.dep does not name " + f.Installed
			}
		}
	}
	for _, name := range s.Unowned {
		here[path.Join(dkmsstate.InstalledUnder, name)] = true
	}
	for _, name := range s.Dep.Gone {
		if !here[name] {
			return fmt.Sprintf("modules.dep names %s, which is gone", path.Base(name))
		}
	}
	return ""
}

// shadowReason returns why modules.dep may be out of date if it does not name an installed file
// and depmod.d(5) does not show why.
func shadowReason(sh dkmsstate.Shadow) string {
	if sh.By == "" {
		return fmt.Sprintf("modules.dep does not name %s (%s)", path.Base(sh.Path), sh.Line)
	}
	return fmt.Sprintf("modules.dep names %s in place of %s", sh.By, sh.Path)
}
