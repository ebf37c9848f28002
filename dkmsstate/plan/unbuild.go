package plan

import (
	"strings"

	"dkms-hooks/dkmsstate"
)

// Unbuild plans to remove all builds of the snapshot's kernel, of every version and
// architecture. Registrations stay.
func Unbuild(s dkmsstate.Snapshot) Plan {
	p := Plan{Kernel: s.Kernel, Leftovers: s.Leftovers, Unowned: s.Unowned, Depmod: depmodNoted(s)}
	for _, r := range s.Registrations {
		what := traces(s, r.Module)
		if len(what) == 0 {
			continue
		}
		t := Task{Module: r.Module, Arch: s.Arch}
		for _, b := range s.BuildsOf(r.Module.Name) {
			if b.Module == r.Module && s.Linked(b) && r.Broken == nil && (r.Conf.OwnSteps || b.Original || !b.Placed()) {
				t.Arch = b.Arch
				t.Steps = append(t.Steps, Step{OpDKMSUnbuild, ownReason(r.Conf.OwnSteps, b.Original)})
			}
		}
		t.Steps = append(t.Steps, Step{OpRemoveBuild, strings.Join(what, ", ")})
		p.Tasks = append(p.Tasks, t)
	}
	for _, l := range s.Links {
		if _, known := s.Registration(dkmsstate.Module{Name: l.Name, Version: l.Version}); !known {
			p.unlink(l)
		}
	}
	return p
}

// traces says what a module has on the kernel: builds, links and leftovers.
func traces(s dkmsstate.Snapshot, m dkmsstate.Module) []string {
	var what []string
	for _, b := range s.BuildsOf(m.Name) {
		switch {
		case b.Module != m:
		case s.Linked(b):
			what = append(what, "installed for "+b.Arch)
		default:
			what = append(what, "built for "+b.Arch)
		}
	}
	for _, l := range s.LinksOf(m.Name) {
		if _, built := s.Build(m, l.Arch); l.Version == m.Version && !built {
			what = append(what, "linked for "+l.Arch)
		}
	}
	if s.HasLeftovers(m) {
		what = append(what, "leftovers of an interrupted run")
	}
	return what
}

func ownReason(ownSteps, original bool) string {
	switch {
	case ownSteps:
		return "it has a POST_REMOVE script"
	case original:
		return "it replaced modules of the kernel itself"
	}
	return "only dkms knows where it is installed"
}
