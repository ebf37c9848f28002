package dkmsstate

import (
	"errors"
	"path"
)

// PlanAutoinstall plans to keep in order what is installed on the kernel, and to bring in
// those modules that dkms would install there unasked, as far as the goal goes.
func PlanAutoinstall(s Snapshot, goal Goal) Plan {
	p := Plan{Kernel: s.Kernel, Mismatch: s.Mismatch, goal: goal}
	for _, name := range s.names() {
		p.planModule(s, name)
	}
	p.orderByNeeds(s)
	p.clean(s)
	for _, name := range p.LeftUnowned(s) {
		p.Broken = append(p.Broken, Note{Module: path.Join(installedUnder, name), Left: true,
			Text: "dkms has no build that it belongs to; it is left as it is"})
	}
	if reason := s.depmodReason(); !p.Keeping() || reason != s.Dep.Accepted {
		p.Depmod = reason
	}
	return p
}

// LeftUnowned returns the files in the install directory that no build accounts for, nor
// may one that is about to be made.
func (p Plan) LeftUnowned(s Snapshot) []string {
	if len(p.Tasks)+len(p.NeedHeaders) > 0 {
		return nil
	}
	return s.Unowned
}

// planModule plans for one module name: the version that is installed is kept
// whole, and the newest that wants to be installed is brought in.
func (p *Plan) planModule(s Snapshot, name string) {
	link, linked := s.Link(name, s.Arch)
	current := Module{Name: name, Version: link.Version}
	if linked && link.Version != "" {
		p.keep(s, current)
	}
	wanted, ok := p.newest(s, name)
	if !ok || linked && wanted == current {
		return
	}
	b, _ := s.Build(wanted, s.Arch)
	switch reason := s.taken(b); {
	case p.goal.ignores(wanted) || !p.goal.bringsIn(wanted) && !b.lost(link):
	case b.Complete() && reason != "":
		p.Broken = append(p.Broken, Note{Module: wanted.String(), Text: reason, Skipped: true})
	default:
		p.bringIn(s, wanted, link, linked)
	}
}

// keep plans to make an installed module whole again.
func (p *Plan) keep(s Snapshot, m Module) {
	r, known := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	if exists && b.Complete() {
		if b.Fresh.Verdict == Stale && p.replace(s, b, r, known) {
			return
		}
		var steps []Step
		if b.asBuilt() {
			steps = s.compressSteps(b)
		}
		reason := b.wrong()
		if reason == "" && len(steps) > 0 {
			reason = steps[0].Reason
		}
		if reason != "" {
			steps = append(steps, Step{OpRestore, reason})
			p.Tasks = append(p.Tasks, Task{Module: m, Arch: s.Arch, Steps: steps})
		}
		return
	}
	switch {
	case !known:
		p.Broken = append(p.Broken, Note{Module: m.String(), Text: "its kernel link names a version that dkms does not know"})
	case r.Broken != nil: // newest tells it
	case !s.buildable():
		p.NeedHeaders = append(p.NeedHeaders, m)
	default:
		t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends, Steps: buildSteps(exists, "its build is gone")}
		t.Steps = append(t.Steps, Step{OpRestore, "built anew"})
		p.Tasks = append(p.Tasks, t)
	}
}

// replace plans to make a stale build anew, or says why it stays: then it is kept as
// it is, since some use it may still be of. It says whether it planned.
func (p *Plan) replace(s Snapshot, b Build, r Registration, known bool) bool {
	note := Note{Module: b.Module.String(), Left: true, Text: "stale, " + b.Fresh.Reason + "; the old build stays "}
	switch {
	case !known || r.Broken != nil:
		note.Text += "since dkms cannot build it"
	case !s.buildable():
		note.Text += "until the headers of the image come"
		p.NeedHeaders = append(p.NeedHeaders, b.Module)
	default:
		p.Tasks = append(p.Tasks, Task{Module: b.Module, Arch: s.Arch, Needs: r.Conf.Depends,
			Steps: []Step{{OpReplace, "stale, " + b.Fresh.Reason}}})
		return true
	}
	p.Broken = append(p.Broken, note)
	return false
}

// bringIn plans to install a module that is not installed on the kernel.
func (p *Plan) bringIn(s Snapshot, m Module, link Link, linked bool) {
	r, _ := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends}
	switch {
	case exists && b.lost(link) && b.Fresh.Verdict != Stale:
		t.Steps = append(s.compressSteps(b), Step{OpRestore, "its kernel link is gone"})
	case exists && b.Complete() && b.Fresh.Verdict == Stale && s.buildable():
		t.Steps = []Step{{OpReplace, "stale, " + b.Fresh.Reason}, {OpInstall, "not installed"}}
	case exists && b.Complete() && b.Fresh.Verdict == Stale:
		p.NeedHeaders = append(p.NeedHeaders, m)
		return
	case exists && b.Complete():
		t.Steps = append(s.compressSteps(b), Step{OpInstall, "built and not installed"})
	case !s.buildable():
		p.NeedHeaders = append(p.NeedHeaders, m)
		return
	default:
		t.Steps = append(buildSteps(exists, "not built"), Step{OpInstall, "not installed"})
	}
	if linked && link.Version == "" {
		t.Steps = append([]Step{{OpUnlink, unlinkReason(link)}}, t.Steps...)
	}
	p.Tasks = append(p.Tasks, t)
}

func buildSteps(dirExists bool, reason string) []Step {
	if dirExists {
		return []Step{{OpClear, "its build directory holds no build"}, {OpBuild, reason}}
	}
	return []Step{{OpBuild, reason}}
}

// newest returns the latest version of a module when dkms would install it unasked; older
// ones it leaves alone (autoinstall of dkms). It notes what is wrong with the registrations.
func (p *Plan) newest(s Snapshot, name string) (Module, bool) {
	for _, r := range s.registrationsOf(name) {
		if r.Broken != nil && !p.goal.ignores(r.Module) {
			p.Broken = append(p.Broken, Note{Module: r.Module.String(), Text: oneLine(r.Broken.Error())})
		}
	}
	latest := s.latest(name)
	link, _ := s.Link(name, s.Arch)
	switch {
	case s.NoAutoinstall || link.Version == latest.Module.Version:
		return Module{}, false
	case latest.Unanswered != nil && p.goal.bringsIn(latest.Module):
		p.Broken = append(p.Broken, Note{Module: latest.Module.String(), Text: oneLine(latest.Unanswered.Error()), Left: errors.Is(latest.Unanswered, errNotAsked)})
	}
	return latest.Module, latest.Conf.Autoinstall
}

// latest returns the latest version of a module that dkms can build.
func (s Snapshot) latest(name string) Registration {
	var latest Registration
	for _, r := range s.registrationsOf(name) {
		if r.Broken == nil && (latest.Module == (Module{}) || versionLess(latest.Module.Version, r.Module.Version)) {
			latest = r
		}
	}
	return latest
}
