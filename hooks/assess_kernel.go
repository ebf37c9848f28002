package hooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/signing"
)

// on returns the assessor of a kernel.
func (a *assessor) on(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) kernelAssessor {
	s.Unfinished = dkmsstate.UnfinishedNote{} // a finding of its own, and no reason to run depmod
	k := kernelAssessor{assessor: a, s: s, kept: kept, work: readUnfinished(s.Layout, s.Kernel)}
	k.planned = plan.Autoinstall(s, wantedOn(a.at(s.Kernel), a.sys, s))
	k.repair = sync.OnceValue(k.readRepair)
	k.signing = sync.OnceValue(func() *signing.Kernel {
		return a.startup.signing(a.inv, s.Layout).Kernel(a.ctx, s.Kernel, a.boot.commandLine(s.Kernel))
	})
	k.signatures, k.loads = map[dkmsstate.Module]signing.Answer{}, map[dkmsstate.Module]LoadView{}
	k.initramfs = sync.OnceValue(func() bootInitramfs { return a.boot.initramfs(s.Layout, s.Kernel) })
	k.look = sync.OnceValue(k.readLook)
	k.imageDoubt = sync.OnceValue(k.readImageDoubt)
	k.compiledIn = sync.OnceValue(s.CompiledIn)
	k.startable = sync.OnceValue(func() bool { return startable(a.at(s.Kernel), s.Layout, s.Kernel) })
	return k
}

// view finds what is wrong on the kernel, and returns the kernel's state.
func (k kernelAssessor) view() KernelView {
	for _, trouble := range k.s.Troubles {
		k.trouble(errors.New(trouble))
	}
	if k.s.There {
		k.unfinished()
		k.modules()
		k.files()
	} else {
		k.gone()
	}
	return viewKernel(k, k.o.On(k.s.Kernel))
}

// at returns the invocation for a kernel.
func (a *assessor) at(kernel dkmsstate.Release) Invocation {
	inv := a.inv
	inv.Kernel = kernel
	return inv
}

// kernelAssessor finds what is wrong on one kernel.
type kernelAssessor struct {
	*assessor
	s       dkmsstate.Snapshot
	kept    dkmsstate.KernelRecord
	planned plan.Plan
	work    unfinished
	// repair returns what repairs the kernel. It reads dpkg's database, once.
	repair func() kernelRepair
	// signing answers which modules the kernel takes.
	signing func() *signing.Kernel
	// signatures are the answers about modules, as far as they are known.
	signatures map[dkmsstate.Module]signing.Answer
	// loads are the verdicts about modules, as far as they are known.
	loads map[dkmsstate.Module]LoadView
	// initramfs returns the one with which the kernel is started, and look what is known of its
	// contents. startable reports whether the kernel has an image.
	initramfs func() bootInitramfs
	look      func() initramfs.Look
	startable func() bool
	// imageDoubt returns why the image may not be that of the kernel's modules.
	imageDoubt func() string
	// compiledIn returns the modules that the kernel contains.
	compiledIn func() map[string]bool
}

// kernelRepair is what repairs a kernel.
type kernelRepair struct {
	// world is what is known of the kernel, and decision is that of a reconcile.
	world    World
	decision Decision
	// command repairs the kernel. reconciles reports whether a reconcile does.
	command    string
	reconciles bool
}

func (k kernelAssessor) readRepair() kernelRepair {
	inv := k.at(k.s.Kernel)
	r := kernelRepair{world: ReadKernel(inv, k.sys.layout, k.kept)}
	r.decision = DecideKernel(inv, r.world)
	r.command, r.reconciles = repairCommand(inv, r.world, r.decision)
	if k.work.active() {
		r.command, r.reconciles = fmt.Sprintf("wait for the active run (%s prints its builds)", inv.Command("dkms-hooks log --follow")), false
	}
	return r
}

// addHere adds a finding about the kernel.
func (k kernelAssessor) addHere(f Finding) {
	f.Kernel = k.s.Kernel
	k.add(f)
}

// repairable adds a finding that a reconcile fixes, unless it leaves the kernel alone.
func (k kernelAssessor) repairable(f Finding) { k.addHere(k.repaired(f)) }

// repaired returns a finding with what repairs the kernel.
func (k kernelAssessor) repaired(f Finding) Finding {
	f.Fix, f.Repairable = k.repair().command, k.repair().reconciles
	return f
}

// files finds what is wrong with the files of an installed kernel that belong to no module.
func (k kernelAssessor) files() {
	for _, name := range k.leftovers() {
		k.repairable(Finding{Kind: Leftover, File: k.sys.layout.Path(name), Reason: "left by an interrupted run"})
	}
	if k.planned.Depmod != "" {
		k.repairable(Finding{Kind: Broken, File: "modules.dep", Reason: k.planned.Depmod})
	}
	for _, name := range k.planned.LeftUnowned(k.s) {
		k.unowned(dkmsstate.InstalledPath(k.s.Kernel, name))
	}
}

// leftovers returns what killed programs left. While a run is active it returns nothing, since
// some of it may belong to that run.
func (k kernelAssessor) leftovers() []string {
	if atWork, err := record.AtWork(k.sys.layout); atWork || err != nil {
		return nil
	}
	return k.s.Leftovers
}

// unowned adds a finding about an installed file that belongs to no build, unless a package owns
// it.
func (k kernelAssessor) unowned(file string) {
	db, err := k.inv.database()
	if err != nil {
		k.trouble(fmt.Errorf("cannot determine whether %s is needed: %w", file, err))
		return
	}
	if whose, err := owner(db, file); err != nil || whose != "" {
		k.trouble(err)
		return
	}
	k.addHere(Finding{Kind: Unowned, File: file, Reason: "it belongs to no build of dkms and to no package",
		Fix: fmt.Sprintf("if you did not put it there: rm %s && %s", quoted(k.sys.layout.Path(file)), k.depmodCommand())})
}

// gone finds what is left of a kernel that is gone.
func (k kernelAssessor) gone() {
	if slices.Contains(k.sys.config.Disable, Reconciler) {
		return // nothing is to be cleaned up unasked
	}
	w, d := k.repair().world, k.repair().decision
	if d.Verdict != Unbuild {
		if w.Unreadable != nil {
			k.trouble(fmt.Errorf("cannot determine whether %s is gone: %w", k.s.Kernel, w.Unreadable))
		}
		return
	}
	var left []string
	for _, b := range k.s.Builds {
		left = append(left, "a build of "+b.Module.String())
	}
	for _, m := range k.s.LeftoversOf {
		left = append(left, "leftovers of a build of "+m.String())
	}
	for _, name := range k.leftovers() {
		left = append(left, k.sys.layout.Path(name))
	}
	if d.RemoveKernelDir && len(apply.Tree{Layout: k.sys.layout, Kernel: k.s.Kernel}.KernelDirLeftovers()) > 0 {
		left = append(left, "its module directory")
	}
	if len(left) > 0 {
		k.repairable(Finding{Kind: Gone, Reason: "the kernel is gone, but " + strings.Join(left, ", ") + " is left"})
	}
}

// headersFix returns what to do about the kernel's headers.
func (k kernelAssessor) headersFix() string {
	if k.s.Mismatch != "" {
		return mismatchAdvice(k.inv, k.s.Kernel)
	}
	return headersFix(k.at(k.s.Kernel))
}
