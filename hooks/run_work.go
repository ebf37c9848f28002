package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// act does the work on the kernel under the lock, and then the work that other runs postponed
// or were interrupted in. Programs of other packages are run once the lock is released. With
// dryRun, act only prints what it would do.
func (r *run) act(ctx context.Context, dryRun bool) error {
	if dryRun {
		return r.work(ctx, dryRun)
	}
	machine, lock, err := lockMachine(ctx, r.inv, system{layout: r.machine.Layout, config: r.config}, r.report.infof)
	if errors.Is(err, record.ErrLocked) {
		return r.postpone(ctx)
	}
	if err != nil {
		r.readUnchanged()
		return err
	}
	machine.Backup = r.machine.Backup
	r.machine = machine
	if machine.Backup { // a run that held the lock meanwhile has met the request, too early
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
	err = errors.Join(err, r.postTransaction(ctx), r.initramfs(ctx))
	afterLock(ctx, others)
	return err
}

// postpone leaves the work to the next run, so that dpkg can go on.
func (r *run) postpone(ctx context.Context) error {
	r.report.atEndf("%s", postponed)
	r.readUnchanged()
	if r.inv.Hook != Postrm && r.verdict != Unbuild { // for these, Run has requested a reconcile
		r.trigger(ctx)
	}
	return record.NoteUnfinished(r.machine.Layout, r.inv.Kernel, dkmsstate.Deferred, false)
}

// readUnchanged reads the kernel that the run does not change: what is required may be there all
// the same.
func (r *run) readUnchanged() {
	if r.record == nil {
		rec, _ := record.Read(r.machine.Layout) // without it, nothing is known to be excluded
		r.record = &rec
	}
	r.after, r.unread = dkmsstate.ReadSnapshot(r.machine.Layout, r.inv.Kernel, r.arch, dkmsstate.KernelRecord{})
}

// work makes a snapshot and a plan, carries out the plan, and records the outcome.
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
		r.readUnchanged()
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
	if r.verdict != Unbuild {
		kept.Signatures = r.signatures(ctx, kept.Signatures)
	}
	r.finishReport(ctx, before, planned)
	if ctx.Err() != nil {
		return err // what was interrupted may succeed next time
	}
	if err == nil {
		err = record.NoteDone(r.machine.Layout, r.inv.Kernel)
	} else {
		err = errors.Join(err, record.NoteFailed(r.machine.Layout, r.inv.Kernel, err, planned.Keeping()))
	}
	return errors.Join(err, r.updateRecord(kept, before))
}

// readSnapshot returns a snapshot of the kernel. Before that, it recovers builds that earlier
// runs set aside.
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

// recoverBuilds restores builds that an interrupted run was replacing. Then it restores or
// discards those that a removal backed up.
func (r *run) recoverBuilds() error {
	tree := apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	restored, err := tree.RollBack()
	if restored > 0 {
		r.remember("", "restored", fmt.Sprintf("builds that an interrupted run was replacing: %d", restored))
		r.report.infof("restored builds that an interrupted run was replacing: %d", restored)
	}
	if err != nil {
		return err
	}
	return r.restoreOrDiscardBackups(tree)
}

// restoreOrDiscardBackups restores builds that an earlier removal backed up if the kernel is
// still installed, and discards them if it is gone.
func (r *run) restoreOrDiscardBackups(tree apply.Tree) error {
	switch {
	case r.machine.Backup:
		return nil
	case r.verdict == Unbuild:
		return tree.DiscardBackups()
	}
	restored, err := tree.RestoreBackups()
	if restored > 0 {
		r.remember("", "restored", fmt.Sprintf("builds kept from a removal: %d", restored))
		r.report.infof("restored builds kept from a removal: %d", restored)
	}
	return err
}

// goal returns the goal of a run. A hook was called for its kernel and brings in what dkms
// would. A reconcile was not: it brings in what waits, unless something requests every module.
func (r *run) goal(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) plan.Goal {
	goal := plan.Goal{Ignored: r.config.ignored(s.Kernel), NotMeant: notMeantOn(s, kept)}
	layout := r.machine.Layout
	if r.reconciling && !r.inv.BringIn && !layout.AllKernels && kept.RemovedBy == "" && !layout.Unfinished(s.Kernel).InFull() && !r.unpacked(s, kept) {
		goal.BringIn = func(m dkmsstate.Module) bool {
			link, _ := s.Link(m.Name, s.Arch)
			return kept.Waits(m, link.Version) || r.upgraded(s, m)
		}
	}
	return goal
}

// notMeantOn returns a function that returns why a module is not meant for the kernel.
func notMeantOn(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) func(dkmsstate.Module) string {
	return func(m dkmsstate.Module) string { return s.NotMeant(m, kept) }
}

// unpacked reports whether dpkg unpacked a package of the kernel or of its headers since the
// kernel was last looked at. Changed files alone are no proof: their owner may have signed an
// image or made another link to it.
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

// present returns what attempts start from. A build that failed for want of a tool is tried
// again by the kernel's own hook, and by a reconcile on kernels that are bootable. With a dozen
// old kernels there would otherwise be a dozen attempts in every run of dpkg.
func (r *run) present(s dkmsstate.Snapshot) dkmsstate.Present {
	retries := !r.reconciling || r.mattersAtBoot(s.Kernel)
	return dkmsstate.Present{Recurs: s.Recurs, Packages: r.inv.packages, Compiler: s.Layout.Compiler, Retries: retries}
}

// plan returns the plan of the run. It leaves out what was reported before and would end in the
// same way: for a hook, what the same run of dpkg reported; for a reconcile under dpkg, what
// any run reported. What may have failed for a passing reason is tried by each hook of its
// kernel, as with the hooks of dkms.
func (r *run) plan(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, goal plan.Goal) plan.Plan {
	if r.verdict == Unbuild {
		return r.planUnbuild(s)
	}
	planned := plan.Autoinstall(s, goal)
	r.outcomes.addPlan(planned)
	planned.Broken = slices.DeleteFunc(planned.Broken, func(n plan.Note) bool { return n.Waits && r.knownToWait(kept, n) })
	if !r.reconciling || r.inv.Script.Name == "" {
		r.reported = kept.Reported(r.dpkg, r.present(s))
		planned, dropped := planned.Without(r.reported, kept.Last, true)
		r.keepReported(kept, planned, dropped)
		r.dropped = slices.DeleteFunc(dropped, func(module string) bool { return kept.Last[module].Result != dkmsstate.LastFailed })
		return planned
	}
	r.reported = kept.EverReported(r.present(s))
	planned.NeedHeaders = nil
	planned, dropped := planned.Without(r.reported, kept.Last, false)
	r.keepReported(kept, planned, dropped)
	return planned
}

// keepReported adds modules that are left out because of another one to what was reported, and takes
// away those that are tried again.
func (r *run) keepReported(kept dkmsstate.KernelRecord, planned plan.Plan, dropped []string) {
	for _, t := range planned.Tasks {
		if t.Builds() || kept.Last[t.Module.String()].MayPass() {
			delete(r.reported, t.Module.String())
		}
	}
	for _, module := range dropped {
		r.reported[module] = kept.Last[module].Text
	}
}

// knownToWait reports whether it is known already that a module waits for another one: nobody named
// the kernel, or this run of dpkg has reported it.
func (r *run) knownToWait(kept dkmsstate.KernelRecord, n plan.Note) bool {
	last := kept.Last[n.Module]
	reported := r.dpkg != "" && kept.Run == r.dpkg && last.Result == dkmsstate.LastWaiting && last.Text == n.Text
	return reported || r.reconciling && r.inv.Script.Name != ""
}

func (r *run) planUnbuild(s dkmsstate.Snapshot) plan.Plan {
	planned := plan.Unbuild(s)
	if r.keepsUnowned(s) {
		planned.Unowned = nil
	}
	return planned
}

// finishReport reports what no plan fixes.
func (r *run) finishReport(ctx context.Context, s dkmsstate.Snapshot, planned plan.Plan) {
	for _, trouble := range s.Troubles {
		r.report.atEndf("%s", trouble)
	}
	r.outcomes.addNotes(planned)
	r.report.notes(planned, func() string { return headersAdvice(ctx, r.inv) })
}
