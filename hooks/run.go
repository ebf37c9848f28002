package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Exit statuses of a hook. A module that fails is no reason to leave the kernel
// package half-configured, so it exits with exitOK and says so in words.
const (
	exitOK          = 0
	exitInterrupted = 1
	exitUsage       = 2
)

// Limits of one run. The longest builds known (ZFS on a small board) take half
// an hour.
const (
	callLimit = time.Hour
	lockLimit = 10 * time.Minute
)

// run is what is done about one kernel.
type run struct {
	inv     Invocation
	report  *Report
	machine dkmsstate.Machine
	arch    string
	verdict Verdict
	// dpkg names the run of dpkg behind the hook, "" by hand; told is what was
	// told of this kernel before and is not tried again.
	dpkg string
	told map[string]string
	// reconciling: nobody named this kernel, so what waits for something else is
	// no news, and what failed before is not tried again before it changes.
	reconciling bool
}

func newRun(inv Invocation, layout dkmsstate.Layout, verdict Verdict, stderr io.Writer) *run {
	return &run{
		inv:     inv,
		report:  &Report{out: stderr, kernel: inv.Kernel, told: map[string]string{}},
		machine: dkmsstate.Machine{Layout: layout, Engine: engine(layout, nil)},
		arch:    machineArch(),
		verdict: verdict,
		dpkg:    debpkg.Run(),
	}
}

// Run decides on an invocation and does what follows; with dryRun it only says
// what it would do and changes nothing. It returns the exit status.
func Run(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	layout, troubles := dkmsstate.ReadLayout(inv.Root)
	d := Decide(inv, Look(ctx, inv, layout))
	r := newRun(inv, layout, d.Verdict, stderr)
	r.report.decision(inv.Hook, d)
	if !dryRun && (inv.Hook == Postrm || d.Verdict == Unbuild) {
		active, err := activate(ctx, inv)
		r.machine.Spare = active // a reconcile follows, which settles it
		if err != nil {
			r.report.atEnd("failed: %v", err)
			r.report.atEnd("  next, when dpkg is done: dkms-hooks reconcile")
		}
	}
	var err error
	if d.Verdict == Unbuild || d.Verdict == Autoinstall {
		for _, trouble := range troubles {
			r.report.say("%s", trouble)
		}
		err = r.act(ctx, dryRun)
	}
	r.report.flush()
	again := fmt.Sprintf("dkms-hooks run %s %s", inv.Hook, inv.Kernel)
	switch {
	case ctx.Err() != nil:
		r.report.say("interrupted; what is not done yet: %s", again)
		return exitInterrupted
	case err != nil:
		r.report.say("failed: %v", err)
		r.report.say("  next, when that is mended: %s", again)
	}
	return exitOK
}

// engine gives the dkms of the running system, at work under a lock, and none for
// another root.
func engine(layout dkmsstate.Layout, lock *os.File) dkmsstate.Engine {
	if layout.Root != "/" {
		return dkmsstate.NoEngine{Root: layout.Root}
	}
	return dkmsstate.DKMS{Timeout: callLimit, Lock: lock, Tree: layout.RealTree()}
}

// machineArch is `uname -m`, which is what dkms names an architecture by.
func machineArch() string {
	name := uname()
	return unix.ByteSliceToString(name.Machine[:])
}

// uname asks the kernel for its names; it cannot fail with a good pointer.
func uname() unix.Utsname {
	var name unix.Utsname
	_ = unix.Uname(&name)
	return name
}

// lockMachine takes the lock, since another hook may be at work on the same
// kernel, and gives the machine at work under it.
func lockMachine(ctx context.Context, layout dkmsstate.Layout, say func(string, ...any)) (dkmsstate.Machine, io.Closer, error) {
	lock, err := layout.Lock(ctx, lockLimit, func() {
		say("waiting for another run of the hooks, at most %s", lockLimit)
	})
	if err != nil {
		return dkmsstate.Machine{}, nil, err
	}
	return dkmsstate.Machine{Layout: layout, Engine: engine(layout, lock)}, lock, nil
}

// act looks, plans and does it, under the lock. With dryRun it only says what it
// would do.
func (r *run) act(ctx context.Context, dryRun bool) error {
	if !dryRun {
		machine, lock, err := lockMachine(ctx, r.machine.Layout, r.report.say)
		if err != nil {
			return err
		}
		defer lock.Close()
		machine.Spare = r.machine.Spare
		r.machine = machine
	}
	return r.work(ctx, dryRun)
}

func (r *run) work(ctx context.Context, dryRun bool) error {
	if !dryRun {
		if err := r.spares(); err != nil {
			return err
		}
	}
	before, err := dkmsstate.ReadSnapshot(r.machine.Layout, r.inv.Kernel, r.arch)
	if err != nil {
		return err
	}
	plan := r.plan(before)
	if dryRun {
		if !r.reconciling || !plan.Empty() {
			r.report.plan(plan, r.needsDepmod())
		}
		r.finishReport(ctx, before, plan)
		return nil
	}
	if !plan.Empty() {
		err = r.carryOut(ctx, before, plan)
	}
	r.finishReport(ctx, before, plan)
	if ctx.Err() != nil {
		return err // what was cut off may well succeed
	}
	return errors.Join(err, r.keepTold(before))
}

// spares settles what an earlier removal set aside: it comes back when the kernel
// is there after all, and goes when it is gone.
func (r *run) spares() error {
	tree := dkmsstate.Tree{Layout: r.machine.Layout, Kernel: r.inv.Kernel}
	switch {
	case r.machine.Spare:
		return nil
	case r.verdict == Unbuild:
		return tree.DropSpares()
	}
	revived, err := tree.Revive()
	if revived > 0 {
		r.report.say("builds given back that a removal had set aside: %d", revived)
	}
	return err
}

// plan plans for what was found, without what was told before.
func (r *run) plan(s dkmsstate.Snapshot) dkmsstate.Plan {
	if r.verdict == Unbuild {
		plan := dkmsstate.PlanUnbuild(s)
		if r.strayStays(s) {
			plan.Stray = nil
		}
		return plan
	}
	plan := dkmsstate.PlanAutoinstall(s)
	told := r.machine.Layout.ReadTold()
	if r.reconciling && r.inv.Script.Name != "" {
		r.told = told.Ever(r.inv.Kernel, s.Inputs())
		plan.NeedHeaders = nil
		plan, _ = plan.Without(r.told)
		return plan
	}
	r.told = told.In(r.dpkg, r.inv.Kernel, s.Inputs())
	plan, r.report.standing = plan.Without(r.told)
	return plan
}

// keepTold keeps what this run told, so that it is not tried and told again
// while nothing has changed, and drops what no longer stands.
func (r *run) keepTold(s dkmsstate.Snapshot) error {
	told := r.machine.Layout.ReadTold()
	_, known := told.Kernels[r.inv.Kernel]
	switch {
	case r.verdict == Autoinstall && len(r.report.told) > 0:
		texts := maps.Clone(r.report.told)
		maps.Copy(texts, r.told)
		trouble := dkmsstate.KernelTrouble{Run: r.dpkg, Inputs: s.Inputs(), Texts: texts}
		return r.machine.Layout.WriteTold(told.With(r.inv.Kernel, trouble))
	case known && len(r.told) == 0:
		return r.machine.Layout.WriteTold(told.Without(r.inv.Kernel))
	}
	return nil
}

// finishReport tells what no plan could help.
func (r *run) finishReport(ctx context.Context, s dkmsstate.Snapshot, plan dkmsstate.Plan) {
	for _, trouble := range s.Troubles {
		r.report.atEnd("%s", trouble)
	}
	r.report.notes(plan, func() string { return headersAdvice(ctx, r.inv) })
}
