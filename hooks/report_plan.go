package hooks

import (
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// plan prints what would be done, for --dry-run.
func (r *Report) plan(p plan.Plan, depmod bool) {
	if p.Empty() {
		r.infof("nothing to do")
	}
	for _, step := range planned(p, depmod) {
		r.infof("would %s", step)
	}
}

// planned describes the steps of a plan, a line each.
func planned(p plan.Plan, depmod bool) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	for _, t := range p.Tasks {
		for _, step := range t.Steps {
			add("%s %s: %s", step.Op, t.Module, step.Reason)
		}
	}
	for _, name := range p.Leftovers {
		add("remove leftovers of an interrupted run: %s", name)
	}
	for _, name := range p.Unowned {
		add("remove %s, which belongs to no build of dkms, unless a package owns it", dkmsstate.InstalledPath(p.Kernel, name))
	}
	switch {
	case p.Depmod != "":
		add("run depmod: %s", p.Depmod)
	case depmod && len(p.Tasks) > 0:
		add("run depmod once, after these")
	}
	return steps
}

// notes reports problems that no step of a plan fixes. headers returns the advice about missing
// headers.
func (r *Report) notes(p plan.Plan, headers func() string) {
	lines, next := planNotes(r.inv, p)
	for _, line := range lines {
		r.atEndf("%s", r.shorten(line))
	}
	for _, advice := range next {
		r.advise(advice)
	}
	if wantsHeaders(p) {
		r.advice = headers
	}
}

// planNotes returns lines about problems that no step of a plan fixes, and what to do next.
// What headersAdvice returns is not among next.
func planNotes(inv Invocation, p plan.Plan) (lines, next []string) {
	for _, n := range p.Broken {
		kind := kindOf(n)
		lines = append(lines, troubleText(kind, n.Module, p.Kernel, n.Text))
		if kind == dkmsstate.LastFailed {
			next = []string{fixThenRun(inv.runPostinst(p.Kernel))}
		}
	}
	if len(p.NeedHeaders) == 0 {
		return lines, next
	}
	var names []string
	for _, m := range p.NeedHeaders {
		names = append(names, m.String())
	}
	why := "its headers are not installed"
	if p.Mismatch != "" {
		why = fmt.Sprintf("its headers are not those of the image (%s)", p.Mismatch)
		next = append(next, mismatchAdvice(inv, p.Kernel))
	}
	line := inOneLine(fmt.Sprintf("not built: %s for %s: %s", moduleList(names), p.Kernel, why))
	if shorten(line) != line && len(names) > 1 {
		line = fmt.Sprintf("not built: %d modules for %s: %s", len(names), p.Kernel, why)
	}
	return append(lines, line), next
}

// wantsHeaders reports whether a plan waits for headers that are not installed.
func wantsHeaders(p plan.Plan) bool { return len(p.NeedHeaders) > 0 && p.Mismatch == "" }
