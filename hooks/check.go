package hooks

import (
	"context"
	"fmt"
	"io"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/fresh"
)

// Finding is something wrong with the trees, and how it is mended.
type Finding struct {
	Kind FindingKind
	// Where names the module, the kernel or the file, Text says what is wrong with it.
	Where, Text string
	// Fix is the command, or what to do where there is none.
	Fix string
	// Repairable reports whether `check --repair` does it.
	Repairable bool
	// module is one that is to be registered again.
	module dkmsstate.Module
}

// FindingKind is the kind of a Finding.
type FindingKind string

// What can be wrong: a module or what is installed of it cannot be used as it is; one that
// dkms would install on a kernel is not there; dkms no longer knows a module whose package
// is installed; a build does not fit its kernel; an installed file belongs to no build;
// something is left of a kernel that is gone; a program that was killed left a file.
const (
	Broken    FindingKind = "broken"
	Missing   FindingKind = "missing"
	Forgotten FindingKind = "forgotten"
	Stale     FindingKind = "stale"
	Unowned   FindingKind = "unowned"
	Gone      FindingKind = "gone"
	Leftover  FindingKind = "leftover"
)

// Check examines the trees as fsck(8) does a filesystem and gives what is wrong, and
// how many kernels and modules it looked at. It changes nothing.
func Check(ctx context.Context, inv Invocation) ([]Finding, Examined, error) {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return nil, Examined{}, err
	}
	inv.Hook = Reconciler
	c := checker{ctx: ctx, inv: inv, sys: sys}
	if err := c.forgotten(); err != nil {
		return nil, Examined{}, err
	}
	kernels := survey.Kernels(sys.record)
	modules := map[dkmsstate.Module]bool{}
	for _, kernel := range kernels {
		kept := sys.record.Kernel(kernel)
		s := survey.Snapshot(kernel, machineArch(), kept)
		fresh.Examine(ctx, &s, kept)
		for _, r := range s.Registrations {
			if r.Broken != nil && !modules[r.Module] {
				c.registration(r)
			}
			modules[r.Module] = true
		}
		if s.There {
			err = c.kernel(s)
		} else {
			err = c.gone(s)
		}
		if err != nil {
			return nil, Examined{}, err
		}
	}
	return c.found, Examined{Kernels: len(kernels), Modules: len(modules), Unusual: c.unusual}, nil
}

// Examined counts what was looked at. Unusual are modules with which nothing is wrong and
// that are not as dkms built them, each a sentence.
type Examined struct {
	Kernels, Modules int
	Unusual          []string
}

// Repair mends what it can: forgotten modules are registered with dkms again, which is
// never done unasked, and all kernels are reconciled. It returns the exit status of
// that; Check tells what is left.
func Repair(ctx context.Context, inv Invocation, findings []Finding, stderr io.Writer) int {
	OutliveReaders()
	report := newReport(stderr, inv)
	code := exitOK
	if err := register(ctx, inv, readSystem(inv), findings, report); err != nil { // Reconcile reports its troubles
		report.warnf("failed: %v", err)
		code = exitFailed
	}
	inv.BringIn = true
	return max(code, Reconcile(ctx, inv, false, stderr))
}

func register(ctx context.Context, inv Invocation, sys system, findings []Finding, report *Report) error {
	var lost []dkmsstate.Module
	for _, f := range findings {
		if f.Kind == Forgotten {
			lost = append(lost, f.module)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	machine, lock, err := lockMachine(ctx, inv, sys, report.infof)
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, m := range lost {
		if addErr := machine.Engine.Add(ctx, m); addErr != nil {
			err = fmt.Errorf("%s: %w", m, dkms.Explain(addErr))
			continue
		}
		report.infof("%s: registered", m)
	}
	return err
}

// owner names an installed package that has a file, "" for none.
func owner(db *debpkg.Database, path string) (string, error) {
	owners, err := db.WithFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot tell whose %s is: %w", path, err)
	}
	for _, p := range owners {
		if p.Status.Present() {
			return p.Name, nil
		}
	}
	return "", nil
}
