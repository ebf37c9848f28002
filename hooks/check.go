package hooks

import (
	"context"
	"fmt"
	"io"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
)

// Repair fixes the repairable findings. It registers forgotten modules with dkms again, which
// is never done unasked. Then it reconciles all kernels and brings in what is missing on them.
// It returns the exit status of the repair itself; ReadOverview finds what is left.
func Repair(ctx context.Context, inv Invocation, findings []Finding, stderr io.Writer) int {
	OutliveReaders()
	report := newReport(stderr, inv)
	code := StatusOK
	if err := register(ctx, inv, readSystem(inv), findings, report); err != nil { // Reconcile reports the troubles of readSystem
		report.warnf("failed: %v", err)
		code = failedStatus(err)
	}
	inv.BringIn = true
	return max(code, Reconcile(ctx, inv, false, stderr))
}

// register registers the forgotten modules among the findings. A module that cannot be
// registered does not stop the others; register then returns the last error.
func register(ctx context.Context, inv Invocation, sys system, findings []Finding, report *Report) error {
	var lost []dkmsstate.Module
	for _, f := range findings {
		if f.Kind == Forgotten && f.Repairable {
			name, version, _ := strings.Cut(f.Module, "/")
			lost = append(lost, dkmsstate.Module{Name: name, Version: version})
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
		remember(sys.layout, inv, Event{Module: m.String(), Did: "registered", Text: "its package is installed, and dkms did not know it", Hook: "check --repair"})
		report.infof("%s: registered", m)
	}
	return err
}
