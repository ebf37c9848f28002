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
	// Evidence lists what the decision was made from, and other facts worth knowing.
	Evidence []Evidence
	// Kernel is the state of the kernel's modules.
	Kernel   KernelView
	Decision Decision
	// Removed is the decision once dpkg removes the caller's package. It is nil if dpkg is
	// removing it already, or if the action is no removal.
	Removed *Decision
	// Steps lists what the hook does, in order. RemovedSteps lists what it does for Removed.
	Steps, RemovedSteps []string
	// Notes lists problems that the hook cannot fix.
	Notes []string
	// Troubles lists what could not be read, in a sentence each.
	Troubles []string
}

// Evidence is a fact that a decision is based on: its name, of one or two words, and its text.
type Evidence struct{ Name, Text string }

// Explain returns what the hook of an invocation would do. It changes nothing and takes no
// lock. That a person asks about a kernel that does not exist is an error, as for Run.
func Explain(ctx context.Context, inv Invocation) (Explanation, error) {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return Explanation{}, err
	}
	w := ReadWorld(ctx, inv, sys.layout)
	details := addDetails(inv, w)
	if inv.Script.Name == "" && !details.known(sys.layout, inv.Kernel) {
		if err := among(inv.Kernel, survey.Kernels(sys.record)); err != nil {
			return Explanation{}, err
		}
	}
	d := sys.config.decide(inv, w)
	r := newRun(inv, sys, d.Verdict, io.Discard)
	r.record, r.survey = &sys.record, survey
	kept := sys.record.Kernel(inv.Kernel)
	s, err := r.readSnapshot(kept, true)
	if err != nil {
		return Explanation{}, err
	}
	fresh.Examine(ctx, &s, kept)
	a := newAssessor(ctx, inv, sys)
	e := Explanation{
		Kernel: a.on(s, kept).view(), Decision: d, Removed: sys.config.removed(inv, w, d),
		Troubles: append(sys.troubles, s.Troubles...),
	}
	e.Evidence = evidence(inv, details, e.Kernel, readUnfinished(sys.layout, inv.Kernel))
	e.Evidence = append(e.Evidence, Evidence{"boot", nextBootText(a.boot.next)})
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
		notes, next := planNotes(inv, planned)
		if wantsHeaders(planned) {
			next = append(next, e.Kernel.Next)
		}
		e.Notes = notes
		for _, advice := range next {
			e.Notes = append(e.Notes, "  next: "+advice)
		}
	}
	return e, nil
}

// steps returns what a run would do, in order.
func (r *run) steps(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord) []string {
	var steps []string
	if r.inv.Script.Name != "" && (r.verdict == Unbuild || r.verdict == Defer) {
		steps = append(steps, "activate the dpkg trigger for a reconcile")
	}
	if r.verdict != Unbuild && r.verdict != Autoinstall {
		return steps
	}
	steps = append(steps, planned(r.plan(s, kept, r.goal(s, kept)), r.needsDepmod())...)
	for _, kernel := range r.unfinishedOthers() {
		steps = append(steps, "finish the work on "+string(kernel))
	}
	return steps
}

// removed returns the decision that follows once dpkg removes the caller's package. It returns
// nil if the hook is not called for a removal, or if dpkg is removing the package already or
// does not know it.
func (c Config) removed(inv Invocation, w World, d Decision) *Decision {
	if inv.Hook != Prerm || inv.Action.Word != debpkg.Remove || inv.Action.InFavour != nil || !w.CallerKnown || d.Verdict != Keep || w.Caller.Status.SelectedForRemoval() {
		return nil
	}
	w.Caller.Status = debpkg.Status{Want: debpkg.WantDeinstall, Flag: debpkg.FlagOK, State: debpkg.HalfConfigured}
	d = c.decide(inv, w)
	return &d
}

// addDetails adds to w what a person wants to know and Decide does not need.
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
			w.Unconfigured, err = unconfigured(db, inv.Kernel)
			return err
		},
	} {
		if err := read(); err != nil {
			w.Unreadable = err
		}
	}
	return w
}

// known reports whether a package or an image shows that there is a kernel, although it may have no
// modules, or whether that cannot be told.
func (w World) known(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	return w.Unreadable != nil || len(w.Owners) > 0 || layout.ImageThere(kernel)
}
