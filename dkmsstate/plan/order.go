package plan

import "dkms-hooks/dkmsstate"

// orderByNeeds puts the tasks into the order of BUILD_DEPENDS. A task whose needs can never be
// met becomes a note.
func (p *Plan) orderByNeeds(s dkmsstate.Snapshot) {
	left := p.Tasks
	p.Tasks = nil
	planned := map[string]bool{}
	for len(left) > 0 {
		var waiting []Task
		pending := map[string]bool{}
		for _, t := range left {
			pending[t.Module.Name] = true
		}
		var ready []Task
		for _, t := range left {
			if missing := unmet(s, t, planned, pending); missing == "" {
				ready = append(ready, t)
			} else {
				waiting = append(waiting, t)
			}
		}
		ready, later := knownFirst(s, ready)
		p.Tasks = append(p.Tasks, ready...)
		waiting = append(waiting, later...)
		if len(waiting) == len(left) {
			p.noteUnmet(s, waiting, planned)
			return
		}
		for _, t := range left {
			planned[t.Module.Name] = true
		}
		for _, t := range waiting {
			planned[t.Module.Name] = false
		}
		left = waiting
	}
}

// knownFirst splits the tasks that can come next into those that do and those that have to
// wait. A build whose needs are unknown comes after all others.
func knownFirst(s dkmsstate.Snapshot, ready []Task) (next, later []Task) {
	for _, t := range ready {
		if r, _ := s.Registration(t.Module); t.Builds() && r.Conf.NeedsUnknown() {
			later = append(later, t)
		} else {
			next = append(next, t)
		}
	}
	if len(next) == 0 {
		return later, nil
	}
	return next, later
}

// noteUnmet notes why tasks cannot be carried out. A module that is not registered may still
// come, for example with a package that is configured later in the same run of dpkg. So what
// needs it waits, as with dkms 3.4.1 and later.
func (p *Plan) noteUnmet(s dkmsstate.Snapshot, tasks []Task, planned map[string]bool) {
	waits := waiting(s, tasks, planned)
	for _, t := range tasks {
		missing := unmet(s, t, planned, nil)
		n := Note{Module: t.Module.String(), Unmet: true, Waits: waits[t.Module.Name]}
		switch {
		case len(s.RegistrationsOf(missing)) == 0:
			n.Text = needsText(missing) + "is not registered with dkms"
		case n.Waits:
			n.Text = needsText(missing) + "waits for another module"
		default:
			n.Text = UnavailableText(missing)
		}
		p.Broken = append(p.Broken, n)
	}
}

// waiting returns the names of those modules that need one which is not registered, or another
// one that waits.
func waiting(s dkmsstate.Snapshot, tasks []Task, planned map[string]bool) map[string]bool {
	waits := map[string]bool{}
	for range tasks { // each round finds at least one more
		for _, t := range tasks {
			missing := unmet(s, t, planned, nil)
			waits[t.Module.Name] = waits[t.Module.Name] || waits[missing] || len(s.RegistrationsOf(missing)) == 0
		}
	}
	return waits
}

// unmet returns the first need of a task that is neither installed nor planned before it. A
// task that only restores files has no needs.
func unmet(s dkmsstate.Snapshot, t Task, planned, pending map[string]bool) string {
	if !t.Builds() {
		return ""
	}
	for _, name := range t.Needs {
		link, linked := s.Link(name, t.Arch)
		switch {
		case planned[name]:
		case linked && link.Version != "" && !pending[name]:
		default:
			return name
		}
	}
	return ""
}
