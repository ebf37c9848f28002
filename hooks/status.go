package hooks

import (
	"cmp"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// KernelView is the state of one kernel in an Overview.
type KernelView struct {
	Release dkmsstate.Release `json:"release"`
	// Present reports whether the kernel is installed.
	Present bool `json:"present"`
	// Running reports whether the kernel is the running one.
	Running bool `json:"running"`
	// Newest reports whether it is the newest kernel with an image, of the running kernel's flavour
	// if there is one.
	Newest bool `json:"newest"`
	// BootsNext reports whether the boot loader is configured to start it at the next boot.
	BootsNext bool `json:"boots_next"`
	// Headers is present, missing or foreign.
	Headers string `json:"headers"`
	// HeadersReason is how foreign headers differ from those of the image.
	HeadersReason string `json:"headers_reason,omitempty"`
	// Active reports whether a run of the hooks is at work on the kernel.
	Active bool `json:"active,omitempty"`
	// Unfinished is why work on the kernel is not finished: interrupted, failed or postponed.
	Unfinished dkmsstate.Unfinished `json:"unfinished,omitempty"`
	// Depmod is why modules.dep is out of date.
	Depmod  string       `json:"depmod,omitempty"`
	Modules []ModuleView `json:"modules"`
	// Complete reports whether nothing is wrong on the kernel.
	Complete bool `json:"complete"`
	// Next is what to do first about a kernel that is not complete.
	Next string `json:"next,omitempty"`
	// lacks are the names of modules that the configuration requires, of which dkms does not know
	// one, and of which the kernel has no file.
	lacks []string
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
	// Required reports whether the configuration requires the module on the kernel.
	Required bool `json:"required,omitempty"`
	// Missing reports whether the module should be installed on the kernel in a build that is
	// complete and fits, and is not.
	Missing bool `json:"missing"`
	// Unusual reports whether the installed module differs from the built one, or is not loaded,
	// in a way that its owner or dkms may have chosen. Reason says how. Nothing is wrong.
	Unusual bool `json:"unusual"`
	// Load is whether the module is loaded when the kernel is started, nil if it is not wanted
	// there or if the kernel has no image.
	Load *LoadView `json:"load,omitempty"`
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

// wantedOn returns the goal for a kernel. A kernel that cannot be started keeps what it has.
func wantedOn(inv Invocation, sys system, s dkmsstate.Snapshot) plan.Goal {
	goal := plan.Goal{}
	if !sys.layout.ImageThere(inv.Kernel) && ReadKernel(inv, sys.layout, dkmsstate.KernelRecord{}).Lifeless() {
		goal = plan.KeepOnly()
	}
	goal.Ignored, goal.NotMeant = sys.config.ignored(inv.Kernel), notMeantOn(s, sys.record.Kernel(inv.Kernel))
	return goal
}

// viewKernel returns the state of a kernel on which something was found.
func viewKernel(k kernelAssessor, found []Finding) KernelView {
	s := k.s
	v := KernelView{
		Release: s.Kernel, Present: s.There, Running: running(s.Layout, s.Kernel), Newest: s.Kernel == k.boot.newest,
		BootsNext: k.boot.startsNext(s.Kernel),
		Headers:   HeadersMissing, HeadersReason: s.Mismatch, Active: k.work.active(), Unfinished: k.work.why(),
		Modules: []ModuleView{}, Complete: true,
	}
	switch {
	case s.Mismatch != "":
		v.Headers = HeadersForeign
	case s.Headers:
		v.Headers = HeadersPresent
	}
	if s.There {
		v.Depmod = k.planned.Depmod
	}
	for _, r := range s.Registrations {
		m := viewModule(k, r, found)
		v.Modules = append(v.Modules, m)
		v.Complete = v.Complete && !m.Missing
	}
	if s.There {
		v.lacks = k.unknownRequired()
	}
	v.Complete = v.Complete && len(found) == 0
	if len(found) > 0 {
		v.Next = found[0].Fix
	}
	return v
}

// viewModule returns the state of a module on a kernel, among the findings about the kernel.
func viewModule(k kernelAssessor, r dkmsstate.Registration, found []Finding) ModuleView {
	m := r.Module
	b, _ := k.s.Build(m, k.s.Arch)
	v := ModuleView{Module: m.Name, Version: m.Version, State: stateOf(k.s, m)}
	if b.Complete() {
		v.Freshness, v.Reason = b.Fresh.Verdict, b.Fresh.Reason
	}
	v.Required = k.s.There && k.requires(m.Name)
	if last, tried := k.kept.Last[m.String()]; tried {
		v.Last = &Attempt{last.Result, last.Text, last.When, last.Log}
	}
	i := slices.IndexFunc(found, func(f Finding) bool { return f.Module == m.String() })
	switch {
	case i >= 0:
		v.Missing, v.Reason = v.State != Installed || v.Freshness == dkmsstate.Stale, found[i].Reason
	case r.Broken != nil && !k.ignored(m):
		v.Missing, v.Reason = k.s.There && !k.s.InOrder(m), inOneLine(r.Broken.Error())
	case v.State == Installed && k.loadText(m) != "":
		v.Unusual, v.Reason = true, k.loadText(m)
	case v.State == Installed && k.compresses(m) != "":
		v.Unusual, v.Reason = true, k.compresses(m)
	case v.State == Installed && b.Unusual() != "":
		v.Unusual, v.Reason = true, b.Unusual()
	case v.State != Installed:
		v.Reason = k.whyNot(r, v.Reason)
	}
	v.Load = k.loadView(r, v.Missing || i >= 0)
	return v
}

// compresses returns why an installed module is compressed by the next reconcile, "" if it is
// not.
func (k kernelAssessor) compresses(m dkmsstate.Module) string {
	for _, t := range k.planned.Tasks {
		if t.Module == m && t.OnlyCompresses {
			return t.Steps[0].Reason
		}
	}
	return ""
}

// whyNot returns why a module is not installed on a kernel. otherwise is the reason if nothing
// shows it.
func (k kernelAssessor) whyNot(r dkmsstate.Registration, otherwise string) string {
	m := r.Module
	i := slices.IndexFunc(k.planned.Broken, func(n plan.Note) bool { return n.Module == m.String() })
	link, linked := k.s.Link(m.Name, k.s.Arch)
	switch {
	case !k.s.There:
		return otherwise
	case i >= 0:
		return inOneLine(k.planned.Broken[i].Text)
	case linked && link.Version != "" && link.Version != m.Version:
		return "version " + link.Version + " is installed"
	}
	return cmp.Or(k.unwanted(r), otherwise)
}

// unwanted returns why a module is not to be installed on the kernel, "" if it is.
func (k kernelAssessor) unwanted(r dkmsstate.Registration) string {
	m := r.Module
	switch {
	case k.ignored(m):
		return "ignored by the configuration"
	case k.planned.NotMeant(m) != "":
		return k.planned.NotMeant(m)
	case k.s.NoAutoinstall:
		return dkmsstate.NoAutoinstallFile + " exists"
	case k.s.Latest(m.Name).Module != m && r.Broken == nil:
		return "version " + k.s.Latest(m.Name).Module.Version + " is newer"
	case !r.Conf.Autoinstall && !r.Conf.AutoinstallUnknown && !slices.Contains(k.sys.config.Required, m.Name):
		return "its dkms.conf does not set AUTOINSTALL"
	case k.planned.Keeping():
		return "the kernel has no image"
	}
	return ""
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

// waitsForHeaders is why a module is not built on a kernel without headers.
const waitsForHeaders = "waiting for kernel headers"
