package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/record"
)

// The exit statuses of a hook. A module that fails is no reason to leave the kernel package
// half-configured: the hook prints the failure and exits with exitOK. Those of a person's command
// are StatusOK and so on.
const (
	exitOK          = 0
	exitFailed      = 1 // as the configuration requires
	exitInterrupted = 1
	exitUsage       = 2
)

// run is the work on one kernel.
type run struct {
	inv     Invocation
	config  Settings
	report  *Report
	machine apply.Machine
	arch    string
	verdict Verdict
	// dpkg identifies the run of dpkg behind the hook, "" by hand.
	dpkg string
	// reported are the problems that were reported before and are not tried again, by module.
	reported map[string]string
	// outcomes are what became of modules.
	outcomes outcomes
	// dropped are the modules that failed in an earlier hook of the same run of dpkg. The plan
	// leaves them out.
	dropped []string
	// broken reports whether an error ended a reconcile.
	broken bool
	// after is the snapshot at the end of the run, and unread why it could not be read.
	after  dkmsstate.Snapshot
	unread error
	// built are the modules that the run built.
	built []dkmsstate.Module
	// record is what is kept between runs, for all kernels.
	record *dkmsstate.Record
	// survey is an up-to-date survey of the DKMS tree, or nil.
	survey *dkmsstate.Survey
	// reconciling reports whether no hook was called for the kernel. Under dpkg, missing
	// headers are then not reported, and what failed is not tried again until it changes.
	reconciling bool
	// startup is what is known about the next start of the machine.
	startup *startup
}

// mattersAtBoot reports whether a kernel runs or may boot next.
func (r *run) mattersAtBoot(kernel dkmsstate.Release) bool {
	return slices.Contains(r.nextBoot().kernels, kernel)
}

// nextBoot returns what is known about the next boot.
func (r *run) nextBoot() boot { return r.startup.boot(r.inv, r.machine.Layout) }

func newRun(inv Invocation, sys system, verdict Verdict, stderr io.Writer) *run {
	return &run{
		inv:      inv,
		config:   sys.config,
		report:   newReport(stderr, inv),
		machine:  machineOf(inv, sys, nil),
		arch:     machineArch(),
		verdict:  verdict,
		outcomes: outcomes{},
		startup:  &startup{},
		dpkg:     debpkg.RunID(),
	}
}

// system returns what the run has read, for a look at the machine.
func (r *run) system() system {
	sys := system{layout: r.machine.Layout, config: r.config}
	if r.record != nil {
		sys.record = *r.record
	}
	return sys
}

// Run decides on an invocation and carries out the decision. With dryRun it prints what it
// would do and changes nothing. It returns the exit status.
func Run(ctx context.Context, inv Invocation, dryRun bool, stderr io.Writer) int {
	sys := readSystem(inv)
	if inv.Person {
		kernels, err := readKernels(inv)
		if err == nil {
			err = among(inv.Kernel, kernels)
		}
		if err != nil {
			newReport(stderr, inv).warnf("failed: %v", err)
			return StatusUnknown
		}
	}
	if !dryRun && record.Below(sys.layout, inv.Environ) {
		return deferToParent(sys.layout, inv, stderr)
	}
	d := sys.config.decide(inv, ReadWorld(ctx, inv, sys.layout))
	r := newRun(inv, sys, d.Verdict, stderr)
	r.report.decision(inv.Hook, d)
	if !dryRun {
		r.remember("", string(d.Verdict), d.Reason)
	}
	if !dryRun && (inv.Hook == Postrm && d.Verdict == Defer || d.Verdict == Unbuild) {
		r.machine.Backup = r.trigger(ctx) // a reconcile follows, which restores or discards the backups
	}
	var err error
	if d.Verdict == Unbuild || d.Verdict == Autoinstall {
		r.report.troubles(sys)
		err = r.act(ctx, dryRun)
	}
	r.report.flush()
	r.report.close()
	left := sync.OnceValues(func() (Overview, error) {
		inv.resetDatabase()
		return ReadOverview(ctx, inv)
	})
	if inv.Script.Name == "" && !dryRun && r.record != nil { // under dpkg, Remind follows
		if len(r.built) > 0 {
			fmt.Fprint(stderr, r.refusedText(left()))
		}
		updateNotice(ctx, inv, r.system(), r.report)
	}
	command := inv.again()
	switch {
	case ctx.Err() != nil:
		if inv.Script.Name == "postinst" {
			command = inv.Command(configurePackages)
		}
		r.report.warnf("interrupted; to continue: %s", command)
		return exitInterrupted
	case err != nil:
		r.report.runFailed(err, command)
	}
	if d.Verdict == Autoinstall && !dryRun && r.mustFail() {
		return exitFailed
	}
	if inv.Person && !dryRun {
		return r.status(err, left)
	}
	return exitOK
}

// status returns the exit status for a person, after a run that ended with an error or without:
// whether anything that decides about the kernel's modules is wrong there. left returns the state
// after the run.
func (r *run) status(err error, left func() (Overview, error)) int {
	switch {
	case err != nil:
		return failedStatus(err)
	case r.verdict != Autoinstall:
		return StatusOK
	}
	o, err := left()
	if err != nil {
		return StatusUnknown
	}
	if slices.ContainsFunc(o.On(r.inv.Kernel), func(f Finding) bool { return f.Kind.decidesBoot() }) {
		return StatusWrong
	}
	return StatusOK
}

// failedStatus returns a person's exit status for an error that ended the work.
func failedStatus(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return StatusUnknown
	}
	return StatusWrong
}

// trigger requests a reconcile at the end of dpkg, and reports whether one follows.
func (r *run) trigger(ctx context.Context) bool {
	active, err := activate(ctx, r.inv, r.machine.Layout)
	if err != nil {
		r.report.atEndf("failed: %v", err)
		r.report.atEndf("  next: when dpkg has finished, run: %s", r.inv.Command(reconcileCommand))
	}
	return active
}

// engine returns the dkms of the running system, which works under a lock. For another root it
// returns one that refuses everything.
func engine(inv Invocation, layout dkmsstate.Layout, config Config, lock *record.Lock) dkms.Engine {
	if layout.Root != "/" {
		return dkms.NoEngine{Root: layout.Root}
	}
	return dkms.DKMS{
		Timeout: config.Timeout, Lock: lock, Tree: layout.RealTree(), Calls: new(dkms.Calls),
		Transaction: layout.PostTransaction != nil || layout.TransactionByDKMS, TransactionByDKMS: layout.TransactionByDKMS,
		RemakesInitramfs: layout.RemakesInitramfs,
		Environ:          dkms.Environment(inv.Environ, config.Environment),
	}
}

func machineOf(inv Invocation, sys system, lock *record.Lock) apply.Machine {
	return apply.Machine{Layout: sys.layout, Engine: engine(inv, sys.layout, sys.config.Config, lock), Removals: new(dkms.Removals), Jobs: sys.config.Jobs}
}

// machineArch returns `uname -m`, which dkms uses as the name of an architecture.
func machineArch() string {
	name := uname()
	return unix.ByteSliceToString(name.Machine[:])
}

// uname calls uname(2). It cannot fail with a valid pointer.
func uname() unix.Utsname {
	var name unix.Utsname
	_ = unix.Uname(&name)
	return name
}

// lockMachine takes the lock, since another hook may be working on the same kernel. It returns
// the machine that works under the lock.
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
