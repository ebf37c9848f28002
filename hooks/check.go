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

// Finding is a problem with the DKMS tree or the module tree, and how it is fixed.
type Finding struct {
	Kind FindingKind
	// Where names the module, the kernel or the file.
	Where string
	// Text describes the problem.
	Text string
	// Fix is the command that fixes the problem, or what to do if there is no such command.
	Fix string
	// Repairable reports whether `check --repair` fixes the problem.
	Repairable bool
	// module is the module to register again; it is set for Forgotten only.
	module dkmsstate.Module
}

// FindingKind is the kind of a Finding.
type FindingKind string

// The kinds of findings.
const (
	// Broken is a module, or what is installed of it, that cannot be used as it is.
	Broken FindingKind = "broken"
	// Missing is a module that dkms would install on a kernel and that is not installed there.
	Missing FindingKind = "missing"
	// Forgotten is a module whose package is installed and that is not registered with dkms.
	Forgotten FindingKind = "forgotten"
	// Stale is a build that does not fit its kernel.
	Stale FindingKind = "stale"
	// Unowned is an installed file that belongs to no build and to no package.
	Unowned FindingKind = "unowned"
	// Gone is what is left of a kernel that is gone.
	Gone FindingKind = "gone"
	// Leftover is a file that a killed program left.
	Leftover FindingKind = "leftover"
	// BadHook is a hook of this package that does not run, or one of dkms that runs beside it.
	BadHook FindingKind = "hook"
)

// Check looks for problems on all kernels, as fsck(8) does on a filesystem. It returns the
// findings and what was examined. It changes nothing.
func Check(ctx context.Context, inv Invocation) ([]Finding, Examined, error) {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return nil, Examined{}, err
	}
	inv.Hook = Reconciler
	c := checker{ctx: ctx, inv: inv, sys: sys}
	c.hooks()
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
	return c.found, Examined{Kernels: len(kernels), Modules: len(modules), Unusual: c.unusual, Troubles: sys.troubles}, nil
}

// Examined is what Check examined.
type Examined struct {
	Kernels, Modules int
	// Unusual describes, in a sentence each, installed modules that differ from what dkms
	// built. Nothing is wrong with them.
	Unusual []string
	// Troubles describe what could not be read, a sentence each.
	Troubles []string
}

// Repair fixes the repairable findings. It registers forgotten modules with dkms again, which
// is never done unasked. Then it reconciles all kernels and brings in what is missing on them.
// It returns the exit status; Check finds what is left.
func Repair(ctx context.Context, inv Invocation, findings []Finding, stderr io.Writer) int {
	OutliveReaders()
	report := newReport(stderr, inv)
	code := exitOK
	if err := register(ctx, inv, readSystem(inv), findings, report); err != nil { // Reconcile reports the troubles of readSystem
		report.warnf("failed: %v", err)
		code = exitFailed
	}
	inv.BringIn = true
	return max(code, Reconcile(ctx, inv, false, stderr))
}

// register registers the forgotten modules among the findings. A module that cannot be
// registered does not stop the others; register then returns the last error.
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

// owner returns the name of an installed package that contains the file, "" if there is none.
func owner(db *debpkg.Database, path string) (string, error) {
	owners, err := db.WithFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot find the package that contains %s: %w", path, err)
	}
	for _, p := range owners {
		if p.Status.Present() {
			return p.Name, nil
		}
	}
	return "", nil
}
