package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/record"
)

// Reconcile does what no hook was called for. On each kernel that is there it keeps what is
// installed in order, the newest first. It brings modules in only where something waits:
// on kernels whose packages were unpacked since the last look, whose removal was given up,
// where work was postponed or interrupted, and of modules that waited for headers or failed.
// Of each kernel that is gone the builds and the empty shell of its directory go. What
// is in order is not reported.
// The invocation says where to look and under which script; its kernel and hook
// are not used. It returns the exit status, which no module's trouble changes.
func Reconcile(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	inv.Hook = Reconciler
	layout, troubles := dkmsstate.ReadLayout(inv.Root)
	config, err := ReadConfig(layout.Path(ConfigFile))
	if err != nil {
		troubles = append(troubles, err.Error())
	}
	general := newReport(stderr, inv)
	for _, trouble := range troubles {
		general.tell("%s", trouble)
	}
	var due func(dkmsstate.Record, dkmsstate.Release) bool
	if inv.FailedOnly {
		due = retries(inv, layout)
		if rec, _ := record.Read(layout); !anyKernel(rec, due) {
			return exitOK
		}
	}
	machine := machineOf(inv, layout, config, nil)
	var done []*run
	if dryRun {
		defer func() {
			for _, r := range done {
				r.report.close()
			}
		}()
	} else {
		if record.Below(layout, inv.Environ) {
			return exitOK // the run that this one is part of does it
		}
		locked, lock, err := lockMachine(ctx, inv, layout, config, general.say)
		if errors.Is(err, record.ErrLocked) {
			if err = putOffAll(layout); err == nil {
				general.tell("postponed: another run of dkms-hooks holds the lock; the next run does this work")
				return exitOK
			}
		}
		if err != nil {
			general.tell("failed: %v", err)
			general.tell("  next: fix this, then run: dkms-hooks reconcile")
			return exitOK
		}
		machine = locked
		defer func() {
			lock.Close()
			afterLock(ctx, done)
		}()
	}
	rec, err := record.Read(layout)
	if err != nil {
		general.tell("%v", err)
	}
	survey, err := layout.Survey()
	if err != nil {
		general.tell("failed: %v", err)
		return exitOK
	}
	if !dryRun && due == nil {
		if err := record.RequestDone(layout); err != nil {
			general.tell("%v", err)
		}
	}
	spoke := false
	kernels := survey.Kernels(rec)
	reconcile := reconciler(ctx, inv, config, machine, &rec, dryRun, stderr, &done)
	for _, kernel := range kernels {
		if due != nil && !due(rec, kernel) {
			continue
		}
		if reconcile(kernel, survey) {
			spoke, survey = true, nil // what took its time may have changed the others
		}
		if ctx.Err() != nil {
			general.tell("interrupted; to continue: dkms-hooks reconcile")
			return exitInterrupted
		}
	}
	for _, kernel := range layout.AllUnfinished() { // what hooks below this run have left to it
		if !dryRun && layout.Unfinished(kernel) == dkmsstate.Deferred {
			spoke = reconcile(kernel, nil) || spoke
		}
	}
	owed := slices.ContainsFunc(kernels, func(kernel dkmsstate.Release) bool {
		_, owed := layout.InitramfsNoted(kernel)
		return owed
	})
	if !spoke && !owed && inv.Script.Name == "" {
		general.say("nothing to do (kernels checked: %d)", len(kernels))
	}
	return exitOK
}

// putOffAll leaves all kernels to the next run.
func putOffAll(layout dkmsstate.Layout) error {
	survey, err := layout.Survey()
	if err != nil {
		return err
	}
	var errs []error
	rec, _ := record.Read(layout) // the run that does the work tells
	for _, kernel := range survey.Kernels(rec) {
		errs = append(errs, record.NoteUnfinished(layout, kernel, dkmsstate.Deferred, true))
	}
	return errors.Join(errs...)
}

// reconciler returns what does it for one kernel, and says whether there was anything
// to say. The survey is one that still holds, or nil. Each run is added to done, for
// afterLock.
func reconciler(ctx context.Context, inv Invocation, config Config, machine apply.Machine, rec *dkmsstate.Record,
	dryRun bool, stderr io.Writer, done *[]*run) func(dkmsstate.Release, *dkmsstate.Survey) bool {
	return func(kernel dkmsstate.Release, survey *dkmsstate.Survey) bool {
		inv := inv
		inv.Hook, inv.Kernel = Reconciler, kernel
		w := ReadKernel(inv, machine.Layout, rec.Kernel(kernel).RemovedBy)
		d := DecideKernel(inv, w)
		r := newRun(inv, config, machine.Layout, d.Verdict, stderr)
		r.machine, r.reconciling, r.record, r.survey = machine, true, rec, survey
		*done = append(*done, r)
		return r.reconcile(ctx, w, d, dryRun)
	}
}

// doPending does what other runs were interrupted in, or postponed. It gives the
// runs for afterLock.
func doPending(ctx context.Context, inv Invocation, config Config, machine apply.Machine, rec *dkmsstate.Record, stderr io.Writer) []*run {
	var done []*run
	reconcile := reconciler(ctx, inv, config, machine, rec, false, stderr, &done)
	for _, kernel := range machine.Layout.AllUnfinished() {
		if kernel != inv.Kernel && ctx.Err() == nil {
			reconcile(kernel, nil)
		}
	}
	return done
}

func (r *run) reconcile(ctx context.Context, w World, d Decision, dryRun bool) bool {
	r.report.heading = func() { r.report.decision(r.inv.Hook, d) }
	if r.inv.Verbose {
		r.report.begun()
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
		r.report.tell("failed: %v", err)
		r.report.tell("  next: fix this, then run: dkms-hooks reconcile")
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
		r.report.say("would remove its module directory (files and directories left: %d)", len(left))
		return nil
	}
	r.report.say("removing its module directory (files and directories left: %d)", len(left))
	return tree.RemoveKernelDir()
}

// DecideKernel returns the verdict on a kernel that nobody named: autoinstall for
// one that is there and can be started, unbuild for one that is gone in every
// way there is to see, keep for all between. It is a function of its values.
func DecideKernel(inv Invocation, w World) Decision {
	switch {
	case w.There && len(w.Unconfigured) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s is not configured yet", list(w.Unconfigured))}
	case w.There && w.Unreadable != nil && !w.Running && !w.Image && !w.Stays:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has modules, and dpkg's database cannot be read: %v", w.Unreadable)}
	case w.Lifeless() && len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has modules (of %s) and no image to boot", list(w.Owners))}
	case w.Lifeless():
		return Decision{Verdict: Keep, Reason: "it has modules, no image in /boot, and no package owns it"}
	case w.There:
		return Decision{Verdict: Autoinstall, Reason: "the kernel is installed"}
	case w.Unreadable != nil:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has no modules, and dpkg's database cannot be read: %v", w.Unreadable)}
	case w.Image:
		return Decision{Verdict: Keep, Reason: "it has no modules, and an image in /boot"}
	case len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has no modules, and belongs to %s", list(w.Owners))}
	}
	return Decision{
		Verdict:         Unbuild,
		Reason:          "the kernel is gone: no modules, no image, and no package owns it",
		RemoveKernelDir: len(w.Files) == 0,
	}
}

// Lifeless reports whether a kernel's modules are there and nothing that it could be started
// from. Such a kernel keeps what it has, and nothing is built for it.
func (w World) Lifeless() bool {
	return w.There && !w.Running && !w.Image && !w.Stays && w.Unreadable == nil && len(w.Starters) == 0 && len(w.Unconfigured) == 0
}

// ReadKernel reads what DecideKernel needs, and no more.
//
// leaving is the package whose removal took the kernel's builds away, "" for none.
func ReadKernel(inv Invocation, layout dkmsstate.Layout, leaving string) World {
	kernel := inv.Kernel
	w := World{
		There:   inv.there(layout, kernel),
		Image:   layout.ImageThere(kernel),
		Running: running(layout, kernel),
	}
	db, err := inv.database()
	if err != nil {
		w.Unreadable = err
		return w
	}
	var waitingErr, ownersErr, startersErr, filesErr error
	if w.There {
		w.Unconfigured, waitingErr = db.WithFilesOf(string(kernel), debpkg.Status.Unconfigured)
		// The headers of bindeb-pkg have no postinst: no hook follows for them.
		w.Unconfigured = slices.DeleteFunc(w.Unconfigured, func(p debpkg.Package) bool { return !db.HasPostinst(p) })
	}
	if !w.Image && !w.Running {
		w.Owners, ownersErr = db.Owners(string(kernel))
		w.Starters, startersErr = db.Starters(string(kernel))
	}
	if p, known := db.Lookup(leaving, ""); leaving != "" && known {
		w.Stays = p.Status.Present()
	}
	if !w.There && !w.Image {
		w.Files, filesErr = db.WithFilesOf(string(kernel), debpkg.Status.Any)
	}
	w.Unreadable = errors.Join(waitingErr, ownersErr, startersErr, filesErr)
	return w
}
