package plan

import (
	"errors"
	"path"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// lost reports whether only the kernel link of a build is missing. dkms uninstall removes the
// installed files with it, so this was something else.
func lost(b dkmsstate.Build, link dkmsstate.Link) bool {
	same := slices.ContainsFunc(b.Files, func(f dkmsstate.File) bool { return f.Copy == kmod.CopySame })
	other := slices.ContainsFunc(b.Files, func(f dkmsstate.File) bool { return f.Copy != kmod.CopySame && f.Copy != kmod.CopyMissing })
	return b.Complete() && link.Version == "" && same && !other
}

// Autoinstall plans to repair what is installed on the kernel, and to bring in those modules
// that dkms would install there unasked, within the goal.
func Autoinstall(s dkmsstate.Snapshot, goal Goal) Plan {
	p := Plan{Kernel: s.Kernel, Mismatch: s.Mismatch, goal: goal}
	for _, name := range s.Names() {
		p.planModule(s, name)
	}
	p.orderByNeeds(s)
	p.clean(s)
	for _, name := range p.LeftUnowned(s) {
		p.Broken = append(p.Broken, Note{Module: path.Join(dkmsstate.InstalledUnder, name), Left: true,
			Text: "it does not belong to any build of dkms; left unchanged"})
	}
	if len(p.off) > 0 {
		p.Broken = append(p.Broken, Note{Module: dkmsstate.NoAutoinstallFile, Left: true,
			Text: "it keeps " + strings.Join(p.off, ", ") + " from being installed"})
	}
	if reason := DepmodReason(s); !p.Keeping() || reason != s.Dep.Accepted {
		p.Depmod = reason
	}
	return p
}

// LeftUnowned returns the files in the install directory that no build accounts for. It returns
// none if the plan has tasks or modules that need headers, since a build of these may account
// for them.
func (p Plan) LeftUnowned(s dkmsstate.Snapshot) []string {
	comes := func(m dkmsstate.Module) bool { return p.NotMeant(m) == "" }
	if slices.ContainsFunc(p.NeedHeaders, comes) || slices.ContainsFunc(p.Tasks, func(t Task) bool { return comes(t.Module) }) {
		return nil
	}
	return s.Unowned
}

// planModule plans for one module name: the installed version is repaired, and the newest one
// that wants to be installed is brought in.
func (p *Plan) planModule(s dkmsstate.Snapshot, name string) {
	link, linked := s.Link(name, s.Arch)
	current := dkmsstate.Module{Name: name, Version: link.Version}
	if linked && link.Version != "" {
		p.keep(s, current)
	}
	wanted, ok := p.newest(s, name)
	if !ok || linked && wanted == current {
		return
	}
	b, _ := s.Build(wanted, s.Arch)
	switch reason := s.Taken(b); {
	case p.goal.ignores(wanted) || !p.goal.BringsIn(wanted) && !lost(b, link):
	case b.Complete() && reason != "":
		p.Broken = append(p.Broken, Note{Module: wanted.String(), Text: reason, Skipped: true})
	default:
		p.bringIn(s, wanted, link, linked)
	}
}

// keep plans to repair an installed module.
func (p *Plan) keep(s dkmsstate.Snapshot, m dkmsstate.Module) {
	r, known := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	if exists && b.Complete() {
		if b.Fresh.Verdict == dkmsstate.Stale && p.replace(s, b, r, known) {
			return
		}
		var steps []Step
		if b.AsBuilt() {
			steps = compressSteps(s, b)
		}
		reason := b.Problem()
		onlyCompresses := reason == "" && len(steps) > 0
		if onlyCompresses {
			reason = steps[0].Reason
		}
		switch {
		case reason == "":
		case b.Overwritten():
			p.Tasks = append(p.Tasks, Task{Module: m, Arch: s.Arch, Steps: []Step{{OpUnlink, reason}, {OpInstall, reason}}})
		default:
			p.Tasks = append(p.Tasks, Task{Module: m, Arch: s.Arch, Steps: append(steps, Step{OpRestore, reason}), OnlyCompresses: onlyCompresses})
		}
		return
	}
	switch {
	case !known:
		p.Broken = append(p.Broken, Note{Module: m.String(), Text: "its kernel link names a version that is not registered"})
	case r.Broken != nil: // newest reports it
	case !s.Buildable():
		p.NeedHeaders = append(p.NeedHeaders, m)
	default:
		t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends, Steps: buildSteps(exists, "its build is gone")}
		t.Steps = append(t.Steps, Step{OpRestore, "rebuilt"})
		p.Tasks = append(p.Tasks, t)
	}
}

// replace plans to rebuild a stale build, and reports whether it did. Otherwise it adds a note
// about the reason. The stale build is then kept as it is, since it may still be of some use.
func (p *Plan) replace(s dkmsstate.Snapshot, b dkmsstate.Build, r dkmsstate.Registration, known bool) bool {
	note := Note{Module: b.Module.String(), Left: true, Text: "stale, " + b.Fresh.Reason + "; the old build stays "}
	switch {
	case !known || r.Broken != nil:
		note.Text += "because dkms cannot build it"
	case !b.Placed():
		note.Text += "because only dkms knows where it installs it"
	case !s.Buildable():
		note.Text += "until the headers of the image are installed"
		p.NeedHeaders = append(p.NeedHeaders, b.Module)
	default:
		p.Tasks = append(p.Tasks, Task{Module: b.Module, Arch: s.Arch, Needs: r.Conf.Depends, Stays: true,
			Steps: []Step{{OpReplace, "stale, " + b.Fresh.Reason}}})
		return true
	}
	p.Broken = append(p.Broken, note)
	return false
}

// bringIn plans to install a module that is not installed on the kernel.
func (p *Plan) bringIn(s dkmsstate.Snapshot, m dkmsstate.Module, link dkmsstate.Link, linked bool) {
	r, _ := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	installed, known := s.Build(dkmsstate.Module{Name: m.Name, Version: link.Version}, s.Arch)
	t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends, Stays: linked && known && installed.Complete()}
	switch {
	case exists && lost(b, link) && b.Fresh.Verdict != dkmsstate.Stale:
		t.Steps = append(compressSteps(s, b), Step{OpRestore, "its kernel link is gone"})
	case exists && b.Complete() && b.Fresh.Verdict == dkmsstate.Stale && s.Buildable():
		t.Steps = []Step{{OpReplace, "stale, " + b.Fresh.Reason}, {OpInstall, "not installed"}}
	case exists && b.Complete() && b.Fresh.Verdict == dkmsstate.Stale:
		p.NeedHeaders = append(p.NeedHeaders, m)
		return
	case exists && b.Complete():
		t.Steps = append(compressSteps(s, b), Step{OpInstall, "built but not installed"})
	case !s.Headers && p.NotMeant(m) != "":
		return
	case !s.Buildable():
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
		return []Step{{OpClear, "its build directory contains no build"}, {OpBuild, reason}}
	}
	return []Step{{OpBuild, reason}}
}

// newest returns the latest version of a module if dkms would install it unasked. dkms
// autoinstall leaves older versions alone. newest adds notes about what is wrong with the
// registrations.
func (p *Plan) newest(s dkmsstate.Snapshot, name string) (dkmsstate.Module, bool) {
	for _, r := range s.RegistrationsOf(name) {
		if r.Broken != nil && !p.goal.ignores(r.Module) {
			p.Broken = append(p.Broken, Note{Module: r.Module.String(), Text: dkmsstate.OneLine(r.Broken.Error())})
		}
	}
	latest := s.Latest(name)
	link, _ := s.Link(name, s.Arch)
	switch {
	case link.Version == latest.Module.Version:
		return dkmsstate.Module{}, false
	case s.NoAutoinstall:
		if latest.Conf.Autoinstall && p.goal.BringsIn(latest.Module) && p.NotMeant(latest.Module) == "" {
			p.off = append(p.off, latest.Module.String())
		}
		return dkmsstate.Module{}, false
	case latest.Unanswered != nil && p.goal.BringsIn(latest.Module):
		p.Broken = append(p.Broken, Note{Module: latest.Module.String(), Text: dkmsstate.OneLine(latest.Unanswered.Error()), Left: errors.Is(latest.Unanswered, dkmsstate.ErrNotAsked)})
	}
	return latest.Module, latest.Conf.Autoinstall
}
