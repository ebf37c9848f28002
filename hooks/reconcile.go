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
	// runs are what was done about each kernel, for afterLock.
	runs []*run
}

// Reconcile does what no hook was called for. On each kernel that is there it repairs what is
// installed, the newest kernel first. It brings modules in only where something waits for
// them: on kernels whose packages were unpacked since they were last looked at, whose removal
// was given up, or on which a run was postponed or interrupted; and modules that waited for
// headers, or failed. Of each kernel that is gone it removes the builds and the empty module
// directory. What is in order is not reported.
//
// The invocation says where to look and under which script; its kernel and hook are not used.
// Reconcile returns the exit status, which does not depend on whether modules failed.
func Reconcile(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	inv.Hook = Reconciler
	sys := readSystem(inv)
	general := newReport(stderr, inv)
	for _, trouble := range sys.troubles {
		general.warnf("%s", trouble)
	}
	due := func(dkmsstate.Record, dkmsstate.Release) bool { return true }
	if inv.FailedOnly {
		due = retries(inv, sys.layout)
		if before := withRecord(inv); !anyKernel(before.record, due) {
			return exitOK
		}
	}
	c := reconciliation{ctx: ctx, inv: inv, sys: &sys, machine: machineOf(inv, sys, nil), dryRun: dryRun, stderr: stderr}
	if dryRun {
		defer func() {
			for _, r := range c.runs {
				r.report.close()
			}
		}()
		return c.all(general, due)
	}
	if record.Below(sys.layout, inv.Environ) {
		return exitOK // the run that this one is part of does it
	}
	locked, lock, err := lockMachine(ctx, inv, sys, general.infof)
	if errors.Is(err, record.ErrLocked) {
		if err = postponeAll(sys); err == nil {
			general.warnf("%s", postponed)
			return exitOK
		}
	}
	if err != nil {
		general.runFailed(err, reconcileRepairs)
		return exitOK
	}
	c.machine = locked
	defer func() {
		lock.Close()
		afterLock(ctx, c.runs)
	}()
	return c.all(general, due)
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
		general.runFailed(err, reconcileRepairs)
		return exitOK
	}
	if !c.dryRun && !c.inv.FailedOnly {
		if err := record.RequestDone(layout); err != nil {
			general.warnf("%v", err)
		}
	}
	reported := false
	kernels := survey.Kernels(c.sys.record)
	for _, kernel := range kernels {
		if !due(c.sys.record, kernel) {
			continue
		}
		if c.kernel(kernel, survey) {
			reported, survey = true, nil // what took its time may have changed the others
		}
		if c.ctx.Err() != nil {
			general.warnf("interrupted; to continue: %s", reconcileRepairs)
			return exitInterrupted
		}
	}
	for _, kernel := range layout.AllUnfinished() { // hooks below this run have postponed these
		if !c.dryRun && layout.Unfinished(kernel) == dkmsstate.Deferred {
			reported = c.kernel(kernel, nil) || reported
		}
	}
	initramfs := slices.ContainsFunc(kernels, func(kernel dkmsstate.Release) bool {
		_, noted := layout.InitramfsNoted(kernel)
		return noted
	})
	if !reported && !initramfs && c.inv.Script.Name == "" {
		general.infof("nothing to do (kernels checked: %d)", len(kernels))
	}
	return exitOK
}

// kernel reconciles one kernel, and reports whether there was anything to report. survey, when
// it is not nil, still holds.
func (c *reconciliation) kernel(kernel dkmsstate.Release, survey *dkmsstate.Survey) bool {
	inv := c.inv
	inv.Hook, inv.Kernel = Reconciler, kernel
	w := ReadKernel(inv, c.sys.layout, c.sys.record.Kernel(kernel).RemovedBy)
	d := DecideKernel(inv, w)
	r := newRun(inv, *c.sys, d.Verdict, c.stderr)
	r.machine, r.reconciling, r.record, r.survey = c.machine, true, &c.sys.record, survey
	c.runs = append(c.runs, r)
	return r.reconcile(c.ctx, w, d, c.dryRun)
}

// postponed is reported when another run holds the lock for too long.
const postponed = "postponed: another run of dkms-hooks holds the lock; the next run does this work"

// postponeAll leaves all kernels to the next run.
func postponeAll(sys system) error {
	survey, err := sys.layout.Survey()
	if err != nil {
		return err
	}
	sys.readRecord() // the run that does the work reports what is wrong with it
	var errs []error
	for _, kernel := range survey.Kernels(sys.record) {
		errs = append(errs, record.NoteUnfinished(sys.layout, kernel, dkmsstate.Deferred, true))
	}
	return errors.Join(errs...)
}

// finishOthers finishes what other runs were interrupted in, or have postponed, under the lock
// of this run. It returns the runs for afterLock.
func (r *run) finishOthers(ctx context.Context) []*run {
	sys := system{layout: r.machine.Layout, config: r.config, record: *r.record}
	c := reconciliation{ctx: ctx, inv: r.inv, sys: &sys, machine: r.machine, stderr: r.report.out}
	for _, kernel := range r.machine.Layout.AllUnfinished() {
		if kernel != r.inv.Kernel && ctx.Err() == nil {
			c.kernel(kernel, nil)
		}
	}
	*r.record = sys.record
	return c.runs
}

// reconcile does what was decided, and reports whether there was anything to report.
func (r *run) reconcile(ctx context.Context, w World, d Decision, dryRun bool) bool {
	r.report.heading = func() { r.report.decision(r.inv.Hook, d) }
	if r.inv.Verbose {
		r.report.printHeading()
	}
	var err error
	switch {
	case d.Verdict != Keep:
		err = r.work(ctx, dryRun)
	case w.Lifeless() && !dryRun:
		err = apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}.DiscardBackups()
	}
	if d.RemoveKernelDir && err == nil {
		err = r.removeKernelDir(dryRun)
	}
	r.report.flush()
	if err != nil && ctx.Err() == nil {
		r.report.runFailed(err, reconcileRepairs)
	}
	return r.report.heading == nil
}

// removeKernelDir removes the shell of a kernel that is gone.
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
