package plan

import (
	"strings"

	"dkms-hooks/dkmsstate"
)

// Unbuild plans to remove all builds of the snapshot's kernel, of every version and
// architecture. Registrations stay.
func Unbuild(s dkmsstate.Snapshot) Plan {
	p := Plan{Kernel: s.Kernel, Leftovers: s.Leftovers, Unowned: s.Unowned}
	if s.DepmodPending {
		p.Depmod = depmodPendingReason
	}
	for _, r := range s.Registrations {
		t := Task{Module: r.Module, Arch: s.Arch}
		var what []string
		for _, b := range s.BuildsOf(r.Module.Name) {
			if b.Module != r.Module {
				continue
			}
			link, linked := s.Link(r.Module.Name, b.Arch)
			linked = linked && link.Version == r.Module.Version
			if linked {
				what = append(what, "installed for "+b.Arch)
			} else {
				what = append(what, "built for "+b.Arch)
			}
			if linked && r.Broken == nil && (r.Conf.OwnSteps || b.Original) {
				t.Arch = b.Arch
				t.Steps = append(t.Steps, Step{OpDKMSUnbuild, ownReason(r.Conf.OwnSteps)})
			}
		}
		for _, l := range s.LinksOf(r.Module.Name) {
			if _, built := s.Build(r.Module, l.Arch); l.Version == r.Module.Version && !built {
				what = append(what, "linked for "+l.Arch)
			}
		}
		if s.HasLeftovers(r.Module) {
			what = append(what, "leftovers of an interrupted run")
		}
		if len(what) > 0 {
			t.Steps = append(t.Steps, Step{OpRemoveBuild, strings.Join(what, ", ")})
			p.Tasks = append(p.Tasks, t)
		}
	}
	for _, l := range s.Links {
		if _, known := s.Registration(dkmsstate.Module{Name: l.Name, Version: l.Version}); !known {
			p.unlink(l)
		}
	}
	return p
}

func ownReason(ownSteps bool) string {
	if ownSteps {
		return "it has a POST_REMOVE script"
	}
	return "it replaced modules of the kernel itself"
}
