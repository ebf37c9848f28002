package hooks

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// act looks, plans and does it, under the lock, and then what other runs have put
// off. What starts programs of others follows without the lock. With dryRun it only
// says what it would do.
func (r *run) act(ctx context.Context, dryRun bool) error {
	if dryRun {
		return r.work(ctx, dryRun)
	}
	machine, lock, err := lockMachine(ctx, r.inv, r.machine.Layout, r.config, r.report.say)
	if errors.Is(err, dkmsstate.ErrLocked) {
		return r.putOff(ctx)
	}
	if err != nil {
		return err
	}
	machine.Backup = r.machine.Backup
	r.machine = machine
	if machine.Backup { // one that had the lock meanwhile has done what was asked for, too early
		if err := machine.Layout.RequestReconcile(); err != nil {
			r.report.atEnd("failed: %v", err)
		}
	}
	var others []*run
	err = func() error {
		defer lock.Close()
		err := r.work(ctx, dryRun)
		if ctx.Err() == nil {
			r.report.flush()
			r.inv.agedDatabase()
			others = doPending(ctx, r.inv, r.config, machine, r.record, r.report.out)
		}
		return err
	}()
	err = errors.Join(err, r.initramfs(ctx))
	afterLock(ctx, others)
	return err
}

// putOff leaves the work to the next run, and dpkg goes on.
func (r *run) putOff(ctx context.Context) error {
	r.report.atEnd("put off: another run of the hooks still holds the lock; the next run does this one's work")
	r.after, _ = dkmsstate.ReadSnapshot(r.machine.Layout, r.inv.Kernel, r.arch, dkmsstate.KernelRecord{})
	if r.inv.Hook != Postrm && r.verdict != Unbuild { // these have asked already
		r.trigger(ctx)
	}
	return r.machine.Layout.NoteUnfinished(r.inv.Kernel, dkmsstate.Deferred, false)
}

func (r *run) work(ctx context.Context, dryRun bool) error {
	if r.record == nil {
		record, err := r.machine.Layout.ReadRecord()
		if err != nil {
			r.report.tell("%v", err)
		}
		r.record = &record
	}
	kept := r.record.Kernel(r.inv.Kernel)
	before, err := r.readSnapshot(kept, dryRun)
	if err != nil {
		return err
	}
	var goal dkmsstate.Goal
	if r.verdict == Autoinstall {
		before.Forced = r.inv.Force
		kept = before.Examine(ctx, kept)
		goal = r.goal(before, kept)
		if !dryRun {
			kept.Answers = before.Ask(ctx, r.machine.Engine, goal, kept.Answers)
		}
	}
	plan := r.plan(before, kept, goal)
	if dryRun {
		if !r.reconciling || !plan.Empty() {
			r.report.plan(plan, r.needsDepmod())
		}
		r.finishReport(ctx, before, plan)
		return nil
	}
	r.after = before
	if !plan.Empty() {
		err = r.carryOut(ctx, before, plan, kept)
		if r.verdict == Autoinstall {
			kept = r.after.Examine(ctx, kept, r.built...)
		}
	}
	r.finishReport(ctx, before, plan)
	if ctx.Err() != nil {
		return err // what was cut off may well succeed
	}
	if err == nil {
		err = r.machine.Layout.NoteDone(r.inv.Kernel)
	}
	return errors.Join(err, r.remember(ctx, kept, before))
}

// readSnapshot looks at the kernel when what earlier runs set aside is settled.
func (r *run) readSnapshot(kept dkmsstate.KernelRecord, dryRun bool) (dkmsstate.Snapshot, error) {
	survey, err := r.survey, error(nil)
	if survey == nil {
		survey, err = r.machine.Layout.Survey()
	}
	if err == nil && !dryRun && survey.NeedsRecovery(r.inv.Kernel) {
		if err = r.settle(); err == nil {
			survey, err = r.machine.Layout.Survey()
		}
	}
	if err != nil {
		return dkmsstate.Snapshot{}, err
	}
	return survey.Snapshot(r.inv.Kernel, r.arch, kept), nil
}

// settle brings back what an earlier run that was cut off had set aside.
func (r *run) settle() error {
	tree := dkmsstate.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	back, err := tree.RollBack()
	if back > 0 {
		r.report.say("builds brought back that a run which was cut off was replacing: %d", back)
	}
	if err != nil {
		return err
	}
	return r.settleBackups(tree)
}

// settleBackups settles what an earlier removal set aside: it comes back when the kernel
// is there after all, and goes when it is gone.
func (r *run) settleBackups(tree dkmsstate.Tree) error {
	switch {
	case r.machine.Backup:
		return nil
	case r.verdict == Unbuild:
		return tree.DiscardBackups()
	}
	revived, err := tree.RestoreBackups()
	if revived > 0 {
		r.report.say("builds given back that a removal had set aside: %d", revived)
	}
	return err
}

// goal says how far a run goes: a hook was called for its kernel and brings in what dkms
// would, a reconcile was not.
func (r *run) goal(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) dkmsstate.Goal {
	goal := dkmsstate.Goal{Ignored: r.config.ignored(s.Kernel)}
	layout := r.machine.Layout
	if r.reconciling && !r.inv.BringIn && !layout.AllKernels && kept.RemovedBy == "" && !layout.UnfinishedInFull(s.Kernel) && !r.unpacked(s, kept) {
		goal.BringIn = func(m dkmsstate.Module) bool {
			link, _ := s.Link(m.Name, s.Arch)
			return kept.Waits(m, link.Version)
		}
	}
	return goal
}

// unpacked reports whether dpkg unpacked a package of the kernel or of its headers since the
// kernel was last looked at. The files alone do not tell: their owner may sign an image or
// link it elsewhere.
func (r *run) unpacked(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) bool {
	looked := kept.Looked
	switch {
	case kept.Unpacked == "": // never looked at: what this run of dpkg unpacked is new
		looked = debpkg.RunStarted(slices.ContainsFunc(r.inv.Environ, func(entry string) bool { return strings.HasPrefix(entry, "DPKG_FRONTEND_LOCKED=") }))
		if looked.IsZero() {
			return false
		}
	case kept.Unpacked == s.Unpacked():
		return false
	}
	db, err := r.inv.database()
	if err != nil {
		return false
	}
	since, err := db.UnpackedSince(string(s.Kernel), looked)
	return err == nil && since
}

// present is what attempts start from. What failed for want of a tool is tried again by the
// kernel's own hook, and without one on the kernels that may be started next: with a dozen
// old ones there would be a dozen attempts in every run of dpkg.
func (r *run) present(s dkmsstate.Snapshot) dkmsstate.Present {
	retries := !r.reconciling || slices.Contains(bootable(s.Layout), s.Kernel)
	return dkmsstate.Present{Inputs: s.Inputs, Packages: r.inv.packages, Compiler: s.Layout.Compiler(), Retries: retries}
}

// plan plans for what was found, without what was told before.
func (r *run) plan(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, goal dkmsstate.Goal) dkmsstate.Plan {
	if r.verdict == Unbuild {
		plan := dkmsstate.PlanUnbuild(s)
		if r.unownedStay(s) {
			plan.Unowned = nil
		}
		return plan
	}
	plan := dkmsstate.PlanAutoinstall(s, goal)
	r.outcomes.plan(plan)
	if r.reconciling && r.inv.Script.Name != "" {
		r.reported = kept.EverReported(r.present(s))
		plan.NeedHeaders = nil
		plan, _ = plan.Without(r.reported)
		return plan
	}
	r.reported = kept.Reported(r.dpkg, r.present(s))
	plan, r.standing = plan.Without(r.reported)
	return plan
}

// finishReport tells what no plan could help.
func (r *run) finishReport(ctx context.Context, s dkmsstate.Snapshot, plan dkmsstate.Plan) {
	for _, trouble := range s.Troubles {
		r.report.atEnd("%s", trouble)
	}
	r.outcomes.notes(plan)
	r.report.notes(plan, func() string { return headersAdvice(ctx, r.inv) })
}
