package plan

import (
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate"
)

func (p *Plan) unlink(l dkmsstate.Link) {
	p.Tasks = append(p.Tasks, Task{Module: dkmsstate.Module{Name: l.Name, Version: l.Version}, Arch: l.Arch,
		Steps: []Step{{OpUnlink, unlinkReason(l)}}})
}

func unlinkReason(l dkmsstate.Link) string { return "kernel link without a build: " + l.Target }

// clean plans to remove leftovers, links that name no build, and builds for other
// architectures. It comes after everything else, so that nothing is removed before its
// replacement exists.
func (p *Plan) clean(s dkmsstate.Snapshot) {
	p.Leftovers = s.Leftovers
	for _, m := range s.LeftoversOf {
		if !s.DKMSRunning {
			p.Tasks = append(p.Tasks, Task{Module: m, Arch: s.Arch, Steps: []Step{{OpRemoveLeftovers, "leftovers of an interrupted build"}}})
		}
	}
	for _, l := range s.Links {
		planned := slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Module.Name == l.Name && t.Installs() })
		if l.Version == "" && (l.Arch == s.Arch && !planned || l.Arch != s.Arch && s.ArchDetected) {
			p.unlink(l)
		}
	}
	if s.ArchDetected {
		p.cleanOtherArches(s)
	}
}

// cleanOtherArches plans to remove what registered modules have for other architectures than
// that of the kernel.
func (p *Plan) cleanOtherArches(s dkmsstate.Snapshot) {
	arches := map[dkmsstate.Module][]string{}
	for _, b := range s.Builds {
		arches[b.Module] = append(arches[b.Module], b.Arch)
	}
	for _, l := range s.Links {
		m := dkmsstate.Module{Name: l.Name, Version: l.Version}
		arches[m] = append(arches[m], l.Arch)
	}
	for _, r := range s.Registrations {
		slices.Sort(arches[r.Module])
		for _, arch := range slices.Compact(arches[r.Module]) {
			if arch != s.Arch {
				p.Tasks = append(p.Tasks, Task{Module: r.Module, Arch: arch,
					Steps: []Step{{OpRemoveOtherArch, fmt.Sprintf("built for %s, but the kernel is for %s", arch, s.Arch)}}})
			}
		}
	}
}
