package hooks

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/signing"
)

// Exit statuses of a hook. A module that fails is no reason to leave the kernel
// package half-configured, so it exits with exitOK and says so in words.
const (
	exitOK          = 0
	exitFailed      = 1 // as the configuration asks for
	exitInterrupted = 1
	exitUsage       = 2
)

// run is what is done about one kernel.
type run struct {
	inv     Invocation
	config  Config
	report  *Report
	machine apply.Machine
	arch    string
	verdict Verdict
	// dpkg names the run of dpkg behind the hook, "" by hand; told is what was
	// told of this kernel before and is not tried again.
	dpkg     string
	reported map[string]string
	// outcomes are what became of modules, and standing counts the troubles that an earlier
	// hook of the same run of dpkg reported.
	outcomes outcomes
	dropped  int
	// after is what was found in the end, built are the modules that the run built.
	after dkmsstate.Snapshot
	built []dkmsstate.Module
	// record is what is kept between runs, of all kernels; survey, when it is there, a
	// look at the DKMS tree that still holds.
	record *dkmsstate.Record
	survey *dkmsstate.Survey
	// reconciling: nobody named this kernel, so what waits for something else is
	// no news, and what failed before is not tried again before it changes.
	reconciling bool
}

func newRun(inv Invocation, sys system, verdict Verdict, stderr io.Writer) *run {
	return &run{
		inv:      inv,
		config:   sys.config,
		report:   newReport(stderr, inv),
		machine:  machineOf(inv, sys, nil),
		arch:     machineArch(),
		verdict:  verdict,
		outcomes: outcomes{},
		dpkg:     debpkg.RunID(),
	}
}

// Run decides on an invocation and does what follows; with dryRun it only says
// what it would do and changes nothing. It returns the exit status.
func Run(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	sys := readSystem(inv)
	if !dryRun && record.Below(sys.layout, inv.Environ) {
		return deferToParent(sys.layout, inv, stderr)
	}
	d := Decide(inv, ReadWorld(ctx, inv, sys.layout))
	r := newRun(inv, sys, d.Verdict, stderr)
	r.report.decision(inv.Hook, d)
	if !dryRun && (inv.Hook == Postrm || d.Verdict == Unbuild) {
		r.machine.Backup = r.trigger(ctx) // a reconcile follows, which settles it
	}
	var err error
	if d.Verdict == Unbuild || d.Verdict == Autoinstall {
		for _, trouble := range sys.troubles {
			r.report.warnf("%s", trouble)
		}
		err = r.act(ctx, dryRun)
	}
	r.report.flush()
	r.report.close()
	if len(r.built) > 0 && inv.Script.Name == "" { // dpkg has it from Remind, at its end
		fmt.Fprint(stderr, enrolText(ctx, sys.layout, signing.SystemFirmware(), *r.record))
	}
	command := fmt.Sprintf("dkms-hooks run %s %s", inv.Hook, inv.Kernel)
	switch {
	case ctx.Err() != nil:
		r.report.warnf("interrupted; to continue: %s", command)
		return exitInterrupted
	case err != nil:
		r.report.runFailed(err, command)
	}
	if d.Verdict == Autoinstall && !dryRun && r.mustFail() {
		return exitFailed
	}
	return exitOK
}

// trigger asks for a reconcile when dpkg is done, and says whether one follows.
func (r *run) trigger(ctx context.Context) bool {
	active, err := activate(ctx, r.inv, r.machine.Layout)
	if err != nil {
		r.report.atEndf("failed: %v", err)
		r.report.atEndf("  next: when dpkg has finished, run: dkms-hooks reconcile")
	}
	return active
}

// engine returns the dkms of the running system, at work under a lock, and none for
// another root.
func engine(inv Invocation, layout dkmsstate.Layout, config Config, lock *record.Lock) dkms.Engine {
	if layout.Root != "/" {
		return dkms.NoEngine{Root: layout.Root}
	}
	return dkms.DKMS{
		Timeout: config.Timeout, Lock: lock, Tree: layout.RealTree(), Calls: new(dkms.Calls),
		Environ: dkms.Environment(inv.Environ, config.Environment),
	}
}

func machineOf(inv Invocation, sys system, lock *record.Lock) apply.Machine {
	return apply.Machine{Layout: sys.layout, Engine: engine(inv, sys.layout, sys.config, lock), Jobs: sys.config.Jobs}
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
func lockMachine(ctx context.Context, inv Invocation, sys system, infof func(string, ...any)) (apply.Machine, io.Closer, error) {
	if record.Below(sys.layout, inv.Environ) {
		return apply.Machine{}, nil, record.ErrBelow
	}
	waited := false
	lock, err := record.Acquire(ctx, sys.layout, sys.config.lockLimit(), func() {
		waited = true
		infof("waiting for another run of dkms-hooks (at most %s)", sys.config.lockLimit())
	})
	if err != nil {
		return apply.Machine{}, nil, err
	}
	if waited {
		inv.resetDatabase()
	}
	return machineOf(inv, sys, lock), lock, nil
}
