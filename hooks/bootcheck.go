package hooks

import (
	"context"
	"fmt"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
)

// BootCheck answers whether the modules will be there after the next boot.
type BootCheck struct {
	Overview
	// Kernel is the one that starts, "" if that cannot be determined.
	Kernel dkmsstate.Release
}

// ReadBootCheck reads the state of the kernel that starts at the next boot, or of the newest one
// where nothing selects a kernel. It reads the initramfs if nobody did since it was made.
func ReadBootCheck(ctx context.Context, inv Invocation) (BootCheck, error) {
	a := newAssessor(ctx, inv, withRecord(inv))
	a.readsInitramfs = true
	survey, err := a.sys.layout.Survey()
	if err != nil {
		return BootCheck{}, err
	}
	next := a.boot.next
	if a.bootTroubles(); next.Certainty == bootloader.Unknown && len(a.o.Troubles) == 0 {
		a.trouble(fmt.Errorf("cannot determine which kernel boots next: %s", next.Reason))
	}
	var kernels []dkmsstate.Release
	if next.Kernel != "" {
		kernels = append(kernels, next.Kernel)
	}
	if next.Kernel != "" && !a.sys.layout.KernelThere(next.Kernel) {
		a.trouble(fmt.Errorf("%s starts next, and its modules are not in this system", next.Kernel))
	}
	c := BootCheck{Overview: a.assess(survey, kernels), Kernel: next.Kernel}
	c.Findings = slices.DeleteFunc(c.Findings, func(f Finding) bool {
		return !f.Boot || f.Kind == BadHook || f.Kernel != "" && f.Kernel != c.Kernel
	})
	return c, nil
}

// Modules returns the modules about which there is a verdict.
func (c BootCheck) Modules() []ModuleView {
	var all []ModuleView
	for _, k := range c.Kernels {
		for _, m := range k.Modules {
			if m.Load != nil {
				all = append(all, m)
			}
		}
	}
	return all
}

// Count returns how many modules have a verdict. Those do not count that somebody chose not to
// load.
func (c BootCheck) Count(verdict LoadVerdict) int {
	n := 0
	for _, m := range c.Modules() {
		if m.Load.Verdict == verdict && !m.Load.Chosen {
			n++
		}
	}
	return n
}

// Status returns the exit status: StatusOK if each wanted module loads, StatusWrong if one does
// not or if something else is wrong that decides about it, StatusUnknown if that cannot be told.
func (c BootCheck) Status() int {
	switch {
	case len(c.Findings) > 0 || c.Count(WillNotLoad) > 0:
		return StatusWrong
	case len(c.Troubles) > 0 || c.Count(CannotTell) > 0:
		return StatusUnknown
	}
	return StatusOK
}
