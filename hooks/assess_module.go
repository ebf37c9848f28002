package hooks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// modules finds what is wrong with the modules of an installed kernel.
func (k kernelAssessor) modules() {
	done := map[string]bool{}
	for _, r := range k.s.Registrations {
		done[r.Module.String()] = true
		k.module(r.Module)
		if r.Broken != nil && !k.ignored(r.Module) && !k.brokenFound[r.Module] {
			k.brokenFound[r.Module] = true
			k.broken(r)
		}
	}
	for _, t := range k.planned.Tasks {
		if !done[t.Module.String()] { // such as leftovers of a module that is not registered
			done[t.Module.String()] = true
			k.module(t.Module)
		}
	}
	for _, n := range k.planned.Broken {
		if !done[n.Module] && !n.Left && !n.Skipped {
			k.addHere(Finding{Kind: Broken, Module: n.Module, Reason: n.Text, Fix: fixThenRun(k.inv.runPostinst(k.s.Kernel))})
		}
	}
	k.requiredHere()
	k.requiredLoads()
}

// requiredLoads finds modules that the configuration requires and that are installed, and that will
// not load on a kernel that matters at the next boot, by the administrator's choice.
func (k kernelAssessor) requiredLoads() {
	for _, r := range k.s.Registrations {
		m := r.Module
		found := slices.ContainsFunc(k.o.Findings, func(f Finding) bool { return f.Module == m.String() && (f.Kernel == k.s.Kernel || f.Kernel == "") })
		if found || !slices.Contains(k.boot.kernels, k.s.Kernel) || !k.requires(m.Name) || !k.s.InOrder(m) {
			continue
		}
		if v := k.load(m); v.Verdict == WillNotLoad {
			k.addHere(Finding{Kind: Required, Module: m.String(), Reason: "the configuration requires it, and it will not load: " + v.Reason,
				Fix: "change what keeps it from loading, or remove it from Required in " + k.configFile()})
		}
	}
}

func (k kernelAssessor) ignored(m dkmsstate.Module) bool {
	return k.sys.config.ignored(k.s.Kernel)(m)
}

// module finds what is wrong with a module.
func (k kernelAssessor) module(m dkmsstate.Module) {
	f, wrong := k.judge(m)
	if wrong {
		f.Module = m.String()
		k.addHere(f)
	} else {
		k.refusedHere(m)
		k.staleInitramfs(m)
	}
	b, built := k.s.Build(m, k.s.Arch)
	link, _ := k.s.Link(m.Name, k.s.Arch)
	if !built || link.Version != m.Version {
		return
	}
	if b.Unusual() != "" {
		k.unusual(m, b.Unusual()+"; left unchanged")
	}
	k.shadows(m, b)
}

func (k kernelAssessor) unusual(m dkmsstate.Module, text string) {
	k.o.Unusual = append(k.o.Unusual, fmt.Sprintf("%s on %s: %s", m, k.s.Kernel, text))
}

// judge returns the finding about a module, and whether there is one.
func (k kernelAssessor) judge(m dkmsstate.Module) (Finding, bool) {
	if i := slices.IndexFunc(k.planned.Tasks, func(t plan.Task) bool { return t.Module == m }); i >= 0 {
		return k.judgeTask(k.planned.Tasks[i])
	}
	if slices.Contains(k.planned.NeedHeaders, m) {
		return k.judgeWaiting(m)
	}
	i := slices.IndexFunc(k.planned.Broken, func(n plan.Note) bool { return n.Module == m.String() && !n.Left && !n.Skipped })
	if r, known := k.s.Registration(m); i < 0 || known && r.Broken != nil || k.s.InOrder(m) {
		return Finding{}, false
	}
	n, fix := k.planned.Broken[i], fixThenRun(k.inv.runPostinst(k.s.Kernel))
	if n.Unmet {
		fix = "install the module that it needs, then run: " + k.inv.runPostinst(k.s.Kernel)
	}
	return Finding{Kind: Missing, Reason: n.Text, Since: k.since(m), Fix: fix}, true
}

// judgeTask returns the finding for a task of the plan.
func (k kernelAssessor) judgeTask(t plan.Task) (Finding, bool) {
	m, first := t.Module, t.Steps[0]
	b, built := k.s.Build(m, k.s.Arch)
	link, linked := k.s.Link(m.Name, k.s.Arch)
	damaged := built && (!b.Complete() || first.Op == plan.OpRestore) || linked && link.Version == m.Version
	last := k.kept.Last[m.String()]
	switch {
	case t.OnlyCompresses:
		k.unusual(m, fmt.Sprintf("%s; %s compresses it", first.Reason, k.inv.Command(reconcileCommand)))
		return Finding{}, false
	case first.Op == plan.OpReplace || b.Fresh.Verdict == dkmsstate.Stale:
		return k.repaired(Finding{Kind: Stale, Reason: strings.TrimPrefix(first.Reason, "stale, "), Since: k.since(m)}), true
	case damaged || first.Op == plan.OpRemoveLeftovers || first.Op == plan.OpRemoveOtherArch || first.Op == plan.OpUnlink:
		return k.repaired(Finding{Kind: Broken, Reason: first.Reason, Since: k.since(m)}), true
	case !t.Installs() || k.planned.NotMeant(m) != "":
		return Finding{}, false
	case last.Result == dkmsstate.LastFailed && k.s.Recurs(m.String(), last):
		fix := fixThenRun(k.retryCommand())
		if last.Log != "" {
			fix = fmt.Sprintf("fix the error (%s), then run: %s", k.inv.logCommand(k.s.Kernel, m.Name), k.retryCommand())
		}
		return Finding{Kind: Failed, Reason: last.Text, Since: last.When, Fix: fix}, true
	}
	command := k.inv.runPostinst(k.s.Kernel)
	if !k.repair().reconciles {
		command = k.repair().command
	}
	return Finding{Kind: Missing, Reason: first.Reason, Since: k.since(m), Repairable: k.repair().reconciles,
		Fix: fmt.Sprintf("%s; if it is not wanted there: Ignore: %s@%s in %s", command, m.Name, k.s.Kernel, k.configFile())}, true
}

// retryCommand returns the command that tries a module again.
func (k kernelAssessor) retryCommand() string {
	if configure := k.inv.Command(configurePackages); k.repair().command == configure {
		return configure
	}
	return k.inv.runPostinst(k.s.Kernel)
}

// judgeWaiting returns the finding for a module that waits for headers.
func (k kernelAssessor) judgeWaiting(m dkmsstate.Module) (Finding, bool) {
	f := Finding{Kind: Missing, Reason: waitsForHeaders, Since: k.since(m), Fix: k.headersFix()}
	b, _ := k.s.Build(m, k.s.Arch)
	link, linked := k.s.Link(m.Name, k.s.Arch)
	switch {
	case b.Fresh.Verdict == dkmsstate.Stale:
		f.Kind, f.Reason = Stale, b.Fresh.Reason
	case linked && link.Version == m.Version:
		f.Kind, f.Reason = Broken, "its build is gone"
	}
	return f, true
}

// requiredHere finds modules that the configuration requires, that are registered, and that are
// not installed on a kernel although nothing else is wrong with them. A module that is not meant
// for the kernel is not required there.
func (k kernelAssessor) requiredHere() {
	if k.planned.Keeping() { // the kernel cannot be started
		return
	}
	for _, name := range k.sys.config.Required {
		latest := k.s.Latest(name).Module
		found := slices.ContainsFunc(k.o.Findings, func(f Finding) bool {
			of, _, _ := strings.Cut(f.Module, "/")
			return of == name && (f.Kernel == k.s.Kernel || f.Kernel == "")
		})
		if found || latest == (dkmsstate.Module{}) || k.s.Installed(name) || !k.requires(name) {
			continue
		}
		k.addHere(Finding{Kind: Required, Module: latest.String(), Reason: "the configuration requires it, and it is not installed",
			Fix: fmt.Sprintf("%s, or remove it from Required in %s", k.inv.Command(fmt.Sprintf("dkms install %s -k %s", latest, k.s.Kernel)), k.configFile())})
	}
}

// requires reports whether the configuration requires a module on the kernel.
func (k kernelAssessor) requires(name string) bool {
	return slices.Contains(k.sys.config.Required, name) &&
		!k.sys.config.excuses(k.s, name, func(r dkmsstate.Registration) bool { return k.planned.NotMeant(r.Module) != "" })
}

// since returns when a run recorded that something is wrong with a module, zero if none did.
func (k kernelAssessor) since(m dkmsstate.Module) time.Time {
	last := k.kept.Last[m.String()]
	if last.Result == dkmsstate.LastInstalled {
		return time.Time{}
	}
	return last.When
}
