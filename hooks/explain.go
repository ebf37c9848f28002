package hooks

import (
	"context"
	"io"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
)

// Explanation is what a hook would do now and why.
type Explanation struct {
	// Evidence are what the decision was made from, and what else is to be known.
	Evidence []Evidence
	// Kernel is how the kernel's modules are.
	Kernel   KernelView
	Decision Decision
	// Removed is the decision once dpkg removes the package in question, nil when it
	// is that already, or when nobody speaks of a removal.
	Removed *Decision
	// Steps are what the hook does, in order, RemovedSteps what it does then, and Notes
	// what it cannot help.
	Steps, RemovedSteps, Notes []string
	// Troubles are what could not be read, each a sentence.
	Troubles []string
}

// Evidence is one thing that was looked at: a name of one or two words, and what it says.
type Evidence struct{ Name, Text string }

// Explain finds out what the hook of an invocation would do. It changes nothing and
// needs no lock.
func Explain(ctx context.Context, inv Invocation) (Explanation, error) {
	sys := withRecord(inv)
	w := ReadWorld(ctx, inv, sys.layout)
	d := Decide(inv, w)
	r := newRun(inv, sys, d.Verdict, io.Discard)
	r.record = &sys.record
	kept := sys.record.Kernel(inv.Kernel)
	s, err := r.readSnapshot(kept, true)
	if err != nil {
		return Explanation{}, err
	}
	fresh.Examine(ctx, &s, kept)
	e := Explanation{
		Kernel: viewKernel(ctx, inv, s, kept, wantedOn(inv, sys), bootsNext(sys.layout)), Decision: d, Removed: removed(inv, w, d),
		Troubles: append(sys.troubles, s.Troubles...),
	}
	e.Evidence = evidence(inv, addDetails(inv, w), e.Kernel)
	if db, err := inv.database(); err == nil {
		for _, trouble := range db.Troubles() {
			e.Troubles = append(e.Troubles, "dpkg's database: "+trouble)
		}
	}
	e.Steps = r.steps(s, kept)
	if e.Removed != nil {
		then := inv
		then.Action = debpkg.ParseAction(string(debpkg.Remove))
		e.RemovedSteps = newRun(then, sys, e.Removed.Verdict, io.Discard).steps(s, kept)
	}
	if d.Verdict == Autoinstall {
		planned := plan.Autoinstall(s, r.goal(s, kept))
		notes, next := planNotes(planned)
		if wantsHeaders(planned) {
			next = e.Kernel.Next
		}
		if e.Notes = notes; next != "" {
			e.Notes = append(e.Notes, "  next: "+next)
		}
	}
	return e, nil
}

// steps returns what a run would do, in order.
func (r *run) steps(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) []string {
	var steps []string
	if r.inv.Script.Name != "" && (r.verdict == Unbuild || r.inv.Hook == Postrm) {
		steps = append(steps, "activate the dpkg trigger for a reconcile")
	}
	if r.verdict != Unbuild && r.verdict != Autoinstall {
		return steps
	}
	steps = append(steps, planned(r.plan(s, kept, r.goal(s, kept)), r.needsDepmod())...)
	for _, kernel := range r.machine.Layout.AllUnfinished() {
		if kernel != r.inv.Kernel {
			steps = append(steps, "finish the work on "+string(kernel)+": "+unfinishedWords(r.machine.Layout.Unfinished(kernel)))
		}
	}
	return steps
}

// removed returns the decision that follows once dpkg removes the caller, which it does
// not mean to do now.
func removed(inv Invocation, w World, d Decision) *Decision {
	if inv.Hook != Prerm || inv.Action.Word != debpkg.Remove || inv.Action.InFavour != nil || !w.CallerKnown || d.Verdict != Keep || w.Caller.Status.SelectedForRemoval() {
		return nil
	}
	w.Caller.Status = debpkg.Status{Want: debpkg.WantDeinstall, Flag: debpkg.FlagOK, State: debpkg.HalfConfigured}
	d = Decide(inv, w)
	return &d
}

// addDetails adds to what a decision needs what a person wants to know.
func addDetails(inv Invocation, w World) World {
	db, err := inv.database()
	if err != nil {
		w.Unreadable = err
		return w
	}
	if inv.Script.Package != "" {
		w.Caller, w.CallerKnown = db.Lookup(inv.Script.Package, inv.Script.Arch)
	}
	for _, read := range []func() error{
		func() (err error) { w.Owners, err = db.Owners(string(inv.Kernel)); return err },
		func() (err error) {
			w.Unconfigured, err = db.WithFilesOf(string(inv.Kernel), debpkg.Status.Unconfigured)
			return err
		},
	} {
		if err := read(); err != nil {
			w.Unreadable = err
		}
	}
	return w
}
