package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// carryOut carries out the plan. Then it checks and repairs what every run must leave in order:
// the registrations, modules.dep, and no empty directories.
func (r *run) carryOut(ctx context.Context, before dkmsstate.Snapshot, planned plan.Plan, kept dkmsstate.KernelRecord) error {
	tree := apply.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	r.removeLeftovers(tree, planned.Leftovers)
	if r.verdict != Unbuild && planned.OnlyLeftovers() {
		return nil
	}
	// The next run finds this note if this one is killed.
	if err := record.NoteUnfinished(r.machine.Layout, r.inv.Kernel, dkmsstate.Interrupted, planned.Keeping()); err != nil {
		r.report.atEndf("%v", err)
	}
	changed := false
	r.report.announce(planned)
	progress := r.report.watch(len(planned.Tasks))
	r.machine.Took = r.record.Took
	results := r.machine.Run(ctx, before, planned,
		progress.begin,
		func(i int, res apply.Result) {
			changed = changed || res.Outcome == apply.Done && (r.verdict == Unbuild || res.Task.Installs())
			r.outcomes.addResult(res)
			r.rememberResult(res)
			r.report.end(res, progress.end(i, res))
		})
	progress.stop()
	// The rest keeps the state consistent. It is done even if the run was interrupted.
	ctx = context.WithoutCancel(ctx)
	after, err := r.keepRegistrations(ctx, before, kept)
	if err != nil {
		return err
	}
	r.after = after
	for _, res := range results {
		if res.Outcome == apply.Done && res.Task.Builds() {
			r.built = append(r.built, res.Task.Module)
		}
	}
	if r.verdict == Unbuild {
		if err := r.removeUnowned(tree, after); err != nil {
			return err
		}
		tree.RemoveEmptyDirs(before.InstallDirs())
	}
	r.verify(after, results)
	if !r.needsDepmod() {
		return tree.RemoveDepmodPending()
	}
	if planned.Depmod != "" && after.There {
		r.report.infof("running depmod: %s", planned.Depmod)
	}
	unfit, err := r.machine.Finish(ctx, &r.after, changed)
	if err != nil {
		return err
	}
	if unfit != "" {
		r.report.atEndf("warning: depmod for %s did not help: %s", r.inv.Kernel, unfit)
	}
	return errors.Join(r.noteTransaction(before, results), r.noteInitramfs(changedModules(before, after, results)))
}

// removeLeftovers removes what killed programs left. If that fails, it is only reported: what
// is left does no harm.
func (r *run) removeLeftovers(tree apply.Tree, paths []string) {
	if len(paths) == 0 {
		return
	}
	r.report.infof("removing %s", leftovers(paths))
	if err := tree.RemoveLeftovers(paths); err != nil {
		r.report.atEndf("%v", err)
	}
}

// leftovers describes what killed programs left.
func leftovers(paths []string) string {
	if len(paths) == 1 {
		return "leftovers of an interrupted run: " + paths[0]
	}
	return fmt.Sprintf("leftovers of an interrupted run: %s and %d more", paths[0], len(paths)-1)
}

// verify checks that what the run brought in is installed. What is not installed has failed,
// unless it was installed when its task had ended: somebody else has uninstalled it since, or this run
// has repaired it before it installed another version.
func (r *run) verify(after dkmsstate.Snapshot, results []apply.Result) {
	for _, res := range results {
		if r.verdict != Autoinstall || res.Outcome != apply.Done {
			continue
		}
		err := apply.Verify(after, res.Task)
		link, _ := after.Link(res.Task.Module.Name, res.Task.Arch)
		switch {
		case err == nil:
		case res.Linked && link.Version != res.Task.Module.Version:
			delete(r.outcomes, res.Task.Module.String())
			r.report.takeBack(res.Task.Module.String())
			r.tellChange(res.Task.Module, link.Version, after, results)
		default:
			res.Outcome, res.Err = apply.Failed, err
			r.outcomes.addResult(res)
			r.rememberResult(res)
			r.report.end(res, 0)
		}
	}
}

// tellChange tells that somebody else has uninstalled a module since its task ended, or installed the
// version now. Without its registration, keepRegistrations has told it.
func (r *run) tellChange(m dkmsstate.Module, now string, after dkmsstate.Snapshot, results []apply.Result) {
	_, registered := after.Registration(m)
	ours := slices.ContainsFunc(results, func(res apply.Result) bool {
		return res.Outcome == apply.Done && res.Task.Installs() && res.Task.Module == dkmsstate.Module{Name: m.Name, Version: now}
	})
	switch {
	case !registered || ours:
	case now == "":
		r.report.infof("%s: uninstalled by somebody else during this run, which leaves it so", m)
	default:
		r.report.infof("%s: somebody else installed version %s during this run, which leaves it so", m, now)
	}
}

// needsDepmod reports whether modules.dep has to be up to date after the run. It does not if
// dpkg is about to remove it with the kernel.
func (r *run) needsDepmod() bool {
	return r.verdict != Unbuild || r.inv.Script.Name == ""
}

// keepRegistrations checks that every registration from before the run still exists. It puts
// back those that a call of this run certainly removed, and no other. It returns the snapshot
// after the run.
func (r *run) keepRegistrations(ctx context.Context, before dkmsstate.Snapshot, kept dkmsstate.KernelRecord) (dkmsstate.Snapshot, error) {
	after, err := before.Again(kept)
	if err != nil {
		return after, err
	}
	var errs []error
	for _, lost := range apply.Lost(before, after) {
		if !r.machine.Removals.Removed(lost.Module) {
			r.report.infof("%s: removed from dkms by somebody else during this run; it stays removed", lost.Module)
			continue
		}
		if err := r.machine.PutBack(ctx, lost); err != nil {
			errs = append(errs, err)
			continue
		}
		r.remember(lost.Module.String(), "registered", "it lost its registration with dkms in this run")
		r.report.atEndf("%s lost its registration with dkms in this run; it is registered again", lost.Module)
	}
	return after, errors.Join(errs...)
}
