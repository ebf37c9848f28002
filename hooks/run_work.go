package hooks

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// act looks, plans and does it, under the lock, and then what other runs have put
// off. What starts programs of others follows without the lock. With dryRun it only
// says what it would do.
func (r *run) act(ctx context.Context, dryRun bool) error {
	if dryRun {
		return r.work(ctx, dryRun)
	}
	machine, lock, err := lockMachine(ctx, r.inv, system{layout: r.machine.Layout, config: r.config}, r.report.infof)
	if errors.Is(err, record.ErrLocked) {
		return r.postpone(ctx)
	}
	if err != nil {
		return err
	}
	machine.Backup = r.machine.Backup
	r.machine = machine
	if machine.Backup { // one that had the lock meanwhile has done what was asked for, too early
		if err := record.RequestReconcile(machine.Layout); err != nil {
			r.report.atEndf("failed: %v", err)
		}
	}
	var others []*run
	err = func() error {
		defer lock.Close()
		err := r.work(ctx, dryRun)
		if ctx.Err() == nil {
			r.report.flush()
			r.inv.resetDatabaseByHand()
			others = r.finishOthers(ctx)
		}
		return err
	}()
	err = errors.Join(err, r.initramfs(ctx))
	afterLock(ctx, others)
	return err
}

// postpone leaves the work to the next run, and dpkg goes on.
func (r *run) postpone(ctx context.Context) error {
	r.report.atEndf("%s", postponed)
	r.after, _ = dkmsstate.ReadSnapshot(r.machine.Layout, r.inv.Kernel, r.arch, dkmsstate.KernelRecord{})
	if r.inv.Hook != Postrm && r.verdict != Unbuild { // these have asked already
		r.trigger(ctx)
	}
	return record.NoteUnfinished(r.machine.Layout, r.inv.Kernel, dkmsstate.Deferred, false)
}

func (r *run) work(ctx context.Context, dryRun bool) error {
	if r.record == nil {
		rec, err := record.Read(r.machine.Layout)
		if err != nil {
			r.report.warnf("%v", err)
		}
		r.record = &rec
	}
	kept := r.record.Kernel(r.inv.Kernel)
	before, err := r.readSnapshot(kept, dryRun)
	if err != nil {
		return err
	}
	var goal plan.Goal
	if r.verdict == Autoinstall {
		before.Forced = r.inv.Force
		kept = fresh.Examine(ctx, &before, kept)
		goal = r.goal(before, kept)
		if !dryRun {
			kept.Answers = apply.Ask(ctx, &before, r.machine.Engine, goal, kept.Answers)
		}
	}
	planned := r.plan(before, kept, goal)
	if dryRun {
		if !r.reconciling || !planned.Empty() {
			r.report.plan(planned, r.needsDepmod())
		}
		r.finishReport(ctx, before, planned)
		return nil
	}
	r.after = before
	if !planned.Empty() {
		err = r.carryOut(ctx, before, planned, kept)
		if r.verdict == Autoinstall {
			kept = fresh.Examine(ctx, &r.after, kept, r.built...)
		}
	}
	r.finishReport(ctx, before, planned)
	if ctx.Err() != nil {
		return err // what was cut off may well succeed
	}
	if err == nil {
		err = record.NoteDone(r.machine.Layout, r.inv.Kernel)
	}
	return errors.Join(err, r.updateRecord(ctx, kept, before))
}

// readSnapshot looks at the kernel when what earlier runs set aside is settled.
func (r *run) readSnapshot(kept dkmsstate.KernelRecord, dryRun bool) (dkmsstate.Snapshot, error) {
	survey, err := r.survey, error(nil)
	if survey == nil {
		survey, err = r.machine.Layout.Survey()
	}
	if err == nil && !dryRun && survey.NeedsRecovery(r.inv.Kernel) {
		if err = r.recoverBuilds(); err == nil {
			survey, err = r.machine.Layout.Survey()
		}
	}
	if err != nil {
		return dkmsstate.Snapshot{}, err
	}
	return survey.Snapshot(r.inv.Kernel, r.arch, kept), nil
}

// settle brings back what an earlier run that was cut off had set aside.
func (r *run) recoverBuilds() error {
	tree := apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	restored, err := tree.RollBack()
	if restored > 0 {
		r.report.infof("restored builds that an interrupted run was replacing: %d", restored)
	}
	if err != nil {
		return err
	}
	return r.restoreOrDiscardBackups(tree)
}

// restoreOrDiscardBackups settles what an earlier removal set aside: it comes back when the kernel
// is there after all, and goes when it is gone.
func (r *run) restoreOrDiscardBackups(tree apply.Tree) error {
	switch {
	case r.machine.Backup:
		return nil
	case r.verdict == Unbuild:
		return tree.DiscardBackups()
	}
	restored, err := tree.RestoreBackups()
	if restored > 0 {
		r.report.infof("restored builds kept from a removal: %d", restored)
	}
	return err
}

// goal says how far a run goes: a hook was called for its kernel and brings in what dkms
// would, a reconcile was not.
func (r *run) goal(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) plan.Goal {
	goal := plan.Goal{Ignored: r.config.ignored(s.Kernel)}
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

// plan plans what the run is to do. What was reported before, and would end in the same way,
// is left out: for a hook, by the same run of dpkg; for a reconcile under dpkg, by any.
func (r *run) plan(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, goal plan.Goal) plan.Plan {
	if r.verdict == Unbuild {
		return r.planUnbuild(s)
	}
	planned := plan.Autoinstall(s, goal)
	r.outcomes.addPlan(planned)
	if !r.reconciling || r.inv.Script.Name == "" {
		r.reported = kept.Reported(r.dpkg, r.present(s))
		planned, r.dropped = planned.Without(r.reported)
		return planned
	}
	r.reported = kept.EverReported(r.present(s))
	planned.NeedHeaders = nil
	planned, _ = planned.Without(r.reported)
	return planned
}

func (r *run) planUnbuild(s dkmsstate.Snapshot) plan.Plan {
	planned := plan.Unbuild(s)
	if r.keepsUnowned(s) {
		planned.Unowned = nil
	}
	return planned
}

// finishReport tells what no plan could help.
func (r *run) finishReport(ctx context.Context, s dkmsstate.Snapshot, planned plan.Plan) {
	for _, trouble := range s.Troubles {
		r.report.atEndf("%s", trouble)
	}
	r.outcomes.addNotes(planned)
	r.report.notes(planned, func() string { return headersAdvice(ctx, r.inv) })
}
