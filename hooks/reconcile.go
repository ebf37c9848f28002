package hooks

import (
	"context"
	"errors"
	"io"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/record"
)

// reconciliation is a reconcile of several kernels.
type reconciliation struct {
	ctx     context.Context
	inv     Invocation
	sys     *system
	machine apply.Machine
	dryRun  bool
	stderr  io.Writer
	// removals reports whether only removals are finished, since the configuration disables the
	// reconcile.
	removals bool
	// runs are the runs on the kernels so far, for afterLock.
	runs []*run
	// startup is the same for all of them.
	startup *startup
}

// Reconcile does what no hook was called for, on every kernel, the newest first.
//
// On an installed kernel it repairs what is installed. It brings in a missing module only if
// something requests that:
//   - a package of the kernel was unpacked since the kernel was last looked at
//   - the removal of the kernel was aborted
//   - a run that was to bring modules in was postponed or interrupted
//   - the module waited for headers, or failed
//   - inv.BringIn, or autoinstall_all_kernels in framework.conf, applies to every kernel
//
// Of a kernel that is gone it removes the builds and, unless a package has a file in it, the
// module directory. A link of a hook that dpkg renamed gets its name back. What is in order is
// not reported.
//
// A reconcile that the configuration disables finishes removals only: it restores the modules of
// a kernel whose removal was aborted, and discards what was kept of one that is gone. Nothing
// else would.
//
// The invocation says where to look and which script is running; its kernel and hook are not
// used. Reconcile returns the exit status. It depends on whether modules failed for a person only.
func Reconcile(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	inv.Hook = Reconciler
	sys := readSystem(inv)
	general := newReport(stderr, inv)
	general.troubles(sys)
	removals := sys.config.disabled(inv) && !dryRun
	due := dueKernels(inv, sys, removals)
	if due == nil {
		return exitOK
	}
	c := reconciliation{ctx: ctx, inv: inv, sys: &sys, machine: machineOf(inv, sys, nil), dryRun: dryRun, removals: removals, stderr: stderr, startup: &startup{}}
	if dryRun {
		defer func() {
			for _, r := range c.runs {
				r.report.close()
			}
		}()
		return c.all(general, due)
	}
	if record.Below(sys.layout, inv.Environ) {
		return exitOK // the run that started this one reconciles
	}
	locked, lock, err := lockMachine(ctx, inv, sys, general.infof)
	if errors.Is(err, record.ErrLocked) {
		if err = postponeAll(sys, due); err == nil {
			general.warnf("%s", postponed)
			return exitOK
		}
	}
	if err != nil {
		general.runFailed(err, inv.reconcileCommand())
		return c.status(err)
	}
	c.machine = locked
	defer func() {
		lock.Close()
		afterLock(ctx, c.runs)
		if inv.Script.Name == "" {
			updateNotice(ctx, inv, *c.sys, general)
		}
	}()
	return c.all(general, due)
}

// dueKernels returns a function that reports whether a kernel is to be reconciled, nil if none is.
// removals is that of the reconciliation.
func dueKernels(inv Invocation, sys system, removals bool) func(dkmsstate.Record, dkmsstate.Release) bool {
	switch {
	case removals && inv.FailedOnly:
		return nil
	case removals:
		return removed(sys.layout)
	case inv.FailedOnly:
		due := retries(inv, sys.layout)
		if sys.readRecord(); !anyKernel(sys.record, due) { // it is read again under the lock
			return nil
		}
		return due
	}
	return func(dkmsstate.Record, dkmsstate.Release) bool { return true }
}

// all reconciles every kernel that is due, and returns the exit status.
func (c *reconciliation) all(general *Report, due func(dkmsstate.Record, dkmsstate.Release) bool) int {
	before := len(c.sys.troubles)
	c.sys.readRecord()
	for _, trouble := range c.sys.troubles[before:] {
		general.warnf("%s", trouble)
	}
	layout := c.sys.layout
	survey, err := layout.Survey()
	if err != nil {
		general.runFailed(err, c.inv.Command(reconcileCommand))
		return c.status(err)
	}
	if !c.dryRun && !c.inv.FailedOnly {
		if err := record.RequestDone(layout); err != nil {
			general.warnf("%v", err)
		}
	}
	reported := !c.dryRun && !c.inv.FailedOnly && !c.removals && restoreLinks(layout, general)
	kernels := survey.Kernels(c.sys.record)
	for _, kernel := range kernels {
		if !due(c.sys.record, kernel) {
			continue
		}
		if c.kernel(kernel, survey) {
			reported, survey = true, nil // other kernels may have changed meanwhile
		}
		if c.ctx.Err() != nil {
			general.warnf("interrupted; to continue: %s", c.inv.Command(reconcileCommand))
			return exitInterrupted
		}
	}
	for _, kernel := range layout.AllUnfinished() { // postponed by hooks that this run started
		if !c.dryRun && !c.removals && layout.Unfinished(kernel).Why == dkmsstate.Deferred {
			reported = c.kernel(kernel, nil) || reported
		}
	}
	owed := slices.ContainsFunc(kernels, func(kernel dkmsstate.Release) bool {
		work := readUnfinished(layout, kernel)
		return work.owed || work.command
	})
	if !reported && !owed && c.inv.Script.Name == "" {
		general.infof("nothing to do (kernels checked: %d)", len(kernels))
	}
	return c.status(nil)
}

// reconcileCommand returns the command that the reconcile is a part of.
func (inv Invocation) reconcileCommand() string {
	if inv.BringIn {
		return inv.Command(repairAll)
	}
	return inv.Command(reconcileCommand)
}

// status returns the exit status: for a person, whether the work ended with an error or a module
// failed.
func (c *reconciliation) status(err error) int {
	switch {
	case !c.inv.Person:
		return exitOK
	case err != nil:
		return failedStatus(err)
	case slices.ContainsFunc(c.runs, (*run).anyFailed):
		return StatusWrong
	}
	return StatusOK
}

// kernel reconciles one kernel, and reports whether there was anything to report. survey may be
// nil; otherwise it is up to date.
func (c *reconciliation) kernel(kernel dkmsstate.Release, survey *dkmsstate.Survey) bool {
	inv := c.inv
	inv.Hook, inv.Kernel = Reconciler, kernel
	w := ReadKernel(inv, c.sys.layout, c.sys.record.Kernel(kernel))
	d := DecideKernel(inv, w)
	r := newRun(inv, *c.sys, d.Verdict, c.stderr)
	r.machine, r.reconciling, r.record, r.survey = c.machine, true, &c.sys.record, survey
	r.startup = c.startup
	c.runs = append(c.runs, r)
	return r.reconcile(c.ctx, w, d, c.dryRun)
}

// postponed is printed when another run holds the lock for too long.
const postponed = "postponed: another run of dkms-hooks holds the lock; the next run does this work"

// postponeAll leaves the work on all kernels that are due to the next run.
func postponeAll(sys system, due func(dkmsstate.Record, dkmsstate.Release) bool) error {
	survey, err := sys.layout.Survey()
	if err != nil {
		return err
	}
	sys.readRecord() // the run that does the work reports the error
	var errs []error
	for _, kernel := range survey.Kernels(sys.record) {
		if due(sys.record, kernel) {
			errs = append(errs, record.NoteUnfinished(sys.layout, kernel, dkmsstate.Deferred, true))
		}
	}
	return errors.Join(errs...)
}

// finishOthers finishes work that other runs postponed or were interrupted in, under the lock
// of this run. It returns the runs, for afterLock.
func (r *run) finishOthers(ctx context.Context) []*run {
	sys := r.system()
	c := reconciliation{ctx: ctx, inv: r.inv, sys: &sys, machine: r.machine, stderr: r.report.out, startup: &startup{}}
	for _, kernel := range r.unfinishedOthers() {
		if ctx.Err() == nil {
			c.kernel(kernel, nil)
		}
	}
	*r.record = sys.record
	return c.runs
}

// unfinishedOthers returns the other kernels with work that was postponed or interrupted. What
// failed is left to the kernel's own hooks and to a reconcile: each hook of a run of dpkg would
// fail there again.
func (r *run) unfinishedOthers() []dkmsstate.Release {
	layout := r.machine.Layout
	return slices.DeleteFunc(layout.AllUnfinished(), func(kernel dkmsstate.Release) bool {
		work := readUnfinished(layout, kernel)
		return kernel == r.inv.Kernel || work.modules.Why == dkmsstate.Failed || work.modules.Why == "" && !work.command && work.initramfs.Reason != ""
	})
}

// reconcile carries out a decision, and reports whether there was anything to report.
func (r *run) reconcile(ctx context.Context, w World, d Decision, dryRun bool) bool {
	r.report.heading = func() { r.report.decision(r.inv.Hook, d) }
	if r.inv.Verbose {
		r.report.printHeading()
	}
	var err error
	switch {
	case d.Verdict != Keep:
		err = r.work(ctx, dryRun)
	case len(w.Unconfigured) > 0 && r.inv.Script.Name == "":
		r.report.printHeading()
		r.report.advise(configureCommand(r.inv, w.Unconfigured))
	case w.Lifeless() && !dryRun:
		err = apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}.DiscardBackups()
	}
	if d.Verdict == Keep && !dryRun && w.nothingPostponed(r.machine.Layout.Unfinished(r.inv.Kernel)) {
		err = errors.Join(err, record.NoteDone(r.machine.Layout, r.inv.Kernel))
	}
	if d.RemoveKernelDir && err == nil {
		err = r.removeKernelDir(dryRun)
	}
	r.report.flush()
	if err != nil && ctx.Err() == nil {
		r.report.runFailed(err, r.inv.Command(reconcileCommand))
		r.broken = true
	}
	return r.report.heading == nil
}

// removeKernelDir removes the module directory of a kernel that is gone, if only depmod and
// dkms left files in it.
func (r *run) removeKernelDir(dryRun bool) error {
	tree := apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	left := tree.KernelDirLeftovers()
	switch {
	case len(left) == 0:
		return nil
	case dryRun:
		r.report.infof("would remove its module directory (files and directories left: %d)", len(left))
		return nil
	}
	r.report.infof("removing its module directory (files and directories left: %d)", len(left))
	return tree.RemoveKernelDir()
}
