package hooks

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
)

// overviewSchema is the version of the JSON form of an Overview. It is incremented when a field
// is removed or changes its meaning, not when one is added.
const overviewSchema = 1

// Overview is the state of the modules on each kernel. docs/status.schema.json describes its
// JSON form.
type Overview struct {
	Schema int `json:"schema"`
	// Kernels are the kernels that the module tree, the DKMS tree or the record knows, newest
	// first.
	Kernels []KernelView `json:"kernels"`
	// Registered are the modules that are registered with dkms, as NAME/VERSION.
	Registered []string `json:"registered"`
	// Troubles lists what could not be read, in a sentence each.
	Troubles []string `json:"troubles"`
}

// KernelView is the state of one kernel in an Overview.
type KernelView struct {
	Release dkmsstate.Release `json:"release"`
	// Present reports whether the kernel is installed.
	Present bool `json:"present"`
	// Running reports whether the kernel is the running one.
	Running bool `json:"running"`
	// BootsNext reports whether a boot loader starts the kernel next by default: it is the
	// newest with an image.
	BootsNext bool `json:"boots_next"`
	// Headers is present, missing or foreign.
	Headers string `json:"headers"`
	// HeadersReason is how foreign headers differ from those of the image.
	HeadersReason string `json:"headers_reason,omitempty"`
	// Unfinished is why work on the kernel is not finished: interrupted, postponed or
	// initramfs.
	Unfinished dkmsstate.Unfinished `json:"unfinished,omitempty"`
	// Depmod is why modules.dep is out of date.
	Depmod  string       `json:"depmod,omitempty"`
	Modules []ModuleView `json:"modules"`
	// Complete reports whether the kernel has all that it should have, or is gone.
	Complete bool `json:"complete"`
	// Next is what to do about a kernel that is not complete.
	Next string `json:"next,omitempty"`
}

// ModuleView is the state of one module on one kernel.
type ModuleView struct {
	Module  string      `json:"module"`
	Version string      `json:"version"`
	State   ModuleState `json:"state"`
	// Freshness is whether the build fits the kernel, "" without a complete build.
	Freshness dkmsstate.FreshnessVerdict `json:"freshness,omitempty"`
	// Reason explains the state, "" if nothing needs to be explained.
	Reason string `json:"reason,omitempty"`
	// Missing reports whether the module should be installed on the kernel in a build that is
	// complete and fits, and is not.
	Missing bool `json:"missing"`
	// Last is the last attempt for the module, nil if there was none.
	Last *Attempt `json:"last,omitempty"`
}

// Attempt is how the last attempt for a module ended.
type Attempt struct {
	Result dkmsstate.LastResult `json:"result"`
	// Text explains the result, in one line.
	Text string    `json:"text"`
	When time.Time `json:"when"`
	// Log is the path of the log, "" if there is none.
	Log string `json:"log,omitempty"`
}

// ModuleState is the state of a module on a kernel.
type ModuleState string

// The states of a module.
const (
	// Installed is a module that is installed as it was built, or as its owner has changed it
	// since.
	Installed ModuleState = "installed"
	// Damaged is an installed module whose build or installed files are damaged.
	Damaged ModuleState = "damaged"
	// Built is a module that is built and not installed.
	Built ModuleState = "built"
	// Added is a module that is only registered.
	Added ModuleState = "added"
)

// The states of a kernel's headers.
const (
	HeadersPresent = "present"
	HeadersMissing = "missing"
	// HeadersForeign are headers that are not those of the kernel's image.
	HeadersForeign = "foreign"
)

// Complete reports whether every kernel is complete.
func (o Overview) Complete() bool {
	return !slices.ContainsFunc(o.Kernels, func(k KernelView) bool { return !k.Complete })
}

// ReadOverview reads the state of every kernel, or of the invocation's alone. It changes
// nothing and takes no lock.
func ReadOverview(ctx context.Context, inv Invocation) (Overview, error) {
	o := Overview{Schema: overviewSchema, Kernels: []KernelView{}, Registered: []string{}, Troubles: []string{}}
	sys := withRecord(inv)
	o.Troubles = append(o.Troubles, sys.troubles...)
	survey, err := sys.layout.Survey()
	if err != nil {
		return o, err
	}
	o.Registered = append(o.Registered, survey.Modules()...)
	kernels := survey.Kernels(sys.record)
	if inv.Kernel != "" {
		kernels = []dkmsstate.Release{inv.Kernel}
	}
	next := bootsNext(sys.layout)
	for _, kernel := range kernels {
		kept := sys.record.Kernel(kernel)
		s := survey.Snapshot(kernel, machineArch(), kept)
		fresh.Examine(ctx, &s, kept)
		o.Troubles = append(o.Troubles, s.Troubles...)
		inv.Kernel = kernel
		goal := wantedOn(inv, sys)
		o.Kernels = append(o.Kernels, viewKernel(ctx, inv, s, kept, goal, next))
	}
	return o, nil
}

// wantedOn returns the goal for a kernel. A kernel that cannot be started keeps what it has.
func wantedOn(inv Invocation, sys system) plan.Goal {
	goal := plan.Goal{}
	if !sys.layout.ImageThere(inv.Kernel) && ReadKernel(inv, sys.layout, dkmsstate.KernelRecord{}).Lifeless() {
		goal = plan.KeepOnly()
	}
	goal.Ignored = sys.config.ignored(inv.Kernel)
	return goal
}

func viewKernel(ctx context.Context, inv Invocation, s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, goal plan.Goal, next dkmsstate.Release) KernelView {
	planned := plan.Autoinstall(s, goal)
	v := KernelView{
		Release: s.Kernel, Present: s.There, Running: running(s.Layout, s.Kernel), BootsNext: s.Kernel == next,
		Headers: HeadersMissing, HeadersReason: s.Mismatch, Unfinished: s.Layout.Unfinished(s.Kernel),
		Modules: []ModuleView{}, Complete: true,
	}
	switch {
	case s.Mismatch != "":
		v.Headers = HeadersForeign
	case s.Headers:
		v.Headers = HeadersPresent
	}
	if s.There {
		v.Depmod = planned.Depmod
	}
	for _, r := range s.Registrations {
		m := viewModule(s, planned, r, kept)
		v.Modules = append(v.Modules, m)
		v.Complete = v.Complete && !m.Missing
	}
	v.Complete = v.Complete && v.Depmod == ""
	if !v.Complete {
		v.Next = v.advice(ctx, inv, planned)
	}
	return v
}

// advice returns what to do about a kernel that is not complete.
func (v KernelView) advice(ctx context.Context, inv Invocation, planned plan.Plan) string {
	switch {
	case slices.ContainsFunc(v.Modules, func(m ModuleView) bool { return m.Missing && m.Last != nil && m.Last.Result == dkmsstate.LastFailed }):
		return "fix the error, then run: " + runPostinst(v.Release)
	case v.Headers == HeadersForeign && len(planned.NeedHeaders) > 0:
		return mismatchAdvice(v.Release)
	case len(planned.NeedHeaders) > 0:
		return headersAdvice(ctx, inv)
	}
	return runPostinst(v.Release)
}

// viewModule returns the state of a module on a kernel, according to the plan.
func viewModule(s dkmsstate.Snapshot, planned plan.Plan, r dkmsstate.Registration, kept dkmsstate.KernelRecord) ModuleView {
	b, _ := s.Build(r.Module, s.Arch)
	v := ModuleView{Module: r.Module.Name, Version: r.Module.Version, State: stateOf(s, r.Module)}
	if b.Complete() {
		v.Freshness, v.Reason = b.Fresh.Verdict, b.Fresh.Reason
	}
	if last, tried := kept.Last[r.Module.String()]; tried {
		v.Last = &Attempt{last.Result, last.Text, last.When, last.Log}
	}
	missing, why := whyMissing(s, planned, r)
	switch {
	case missing && skippedAsBefore(s, kept, r.Module):
		v.Reason = v.Last.Text
	case missing:
		v.Missing, v.Reason = s.There, cmp.Or(why, v.Reason, waitsForHeaders)
	case why != "":
		v.Reason = why
	}
	if unusual := b.Unusual(); v.State == Installed && unusual != "" {
		v.Reason = unusual
	}
	return v
}

// stateOf returns the state of a module on a kernel.
func stateOf(s dkmsstate.Snapshot, m dkmsstate.Module) ModuleState {
	b, built := s.Build(m, s.Arch)
	link, linked := s.Link(m.Name, s.Arch)
	switch {
	case s.InOrder(m):
		return Installed
	case linked && link.Version == m.Version:
		return Damaged
	case built && b.Complete():
		return Built
	}
	return Added
}

// whyMissing reports whether the plan wants a module that is not in order, and why. The reason
// is "" if the module waits for headers. For a broken registration it returns a reason even if
// the module is installed.
func whyMissing(s dkmsstate.Snapshot, planned plan.Plan, r dkmsstate.Registration) (bool, string) {
	i := slices.IndexFunc(planned.Tasks, func(t plan.Task) bool { return t.Module == r.Module && t.Installs() })
	switch {
	case i >= 0:
		return !planned.Tasks[i].OnlyCompresses(), planned.Tasks[i].Steps[0].Reason
	case slices.Contains(planned.NeedHeaders, r.Module):
		return true, ""
	case r.Broken != nil:
		return !s.InOrder(r.Module), inOneLine(r.Broken.Error())
	}
	return false, ""
}

// waitsForHeaders is why a module is not built on a kernel without headers.
const waitsForHeaders = "waiting for kernel headers"
