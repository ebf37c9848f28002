package hooks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/dkmsstate/fresh"
)

// overviewSchema is the version of the JSON form of an Overview. It is incremented when a field
// is removed or changes its meaning, not when one is added.
const overviewSchema = 1

// Overview is the state of a machine: the modules on each kernel, and what is wrong.
// docs/status.schema.json describes its JSON form. Every command that reports what is wrong is
// a view of it: status, check, explain and the notice.
type Overview struct {
	Schema int `json:"schema"`
	// Program is the version of dkms-hooks, Host the name of the machine, Time when it was read.
	Program string    `json:"program"`
	Host    string    `json:"host"`
	Time    time.Time `json:"time"`
	// NextBoot is the kernel that starts at the next boot, and what decides.
	NextBoot bootloader.Choice `json:"next_boot"`
	// RebootHeld is why /run/reboot-required is set aside, nil if it is not.
	RebootHeld *RebootHold `json:"reboot_held,omitempty"`
	// Kernels are the kernels that the module tree, the DKMS tree or the record knows, newest
	// first.
	Kernels []KernelView `json:"kernels"`
	// Registered are the modules that are registered with dkms, as NAME/VERSION.
	Registered []string `json:"registered"`
	// Findings are what is wrong: first what concerns every kernel.
	Findings []Finding `json:"findings"`
	// Unusual describes, in a sentence each, installed modules that differ from what dkms
	// built, or that modprobe does not load because the administrator chose so. Nothing is wrong
	// with them.
	Unusual []string `json:"unusual"`
	// HooksOff describes, in a sentence each, hooks that the administrator switched off.
	HooksOff []string `json:"hooks_off"`
	// Troubles lists what could not be read, in a sentence each. Something may be wrong there.
	Troubles []string `json:"troubles"`
}

// The exit statuses of the commands that report what is wrong.
const (
	// StatusOK means that nothing is wrong.
	StatusOK = 0
	// StatusWrong means that something is wrong.
	StatusWrong = 1
	// StatusUsage means that the arguments are wrong.
	StatusUsage = 2
	// StatusUnknown means that it could not be determined, or not be done: files cannot be read,
	// root is needed, or there is no such kernel.
	StatusUnknown = 3
)

// Status returns the exit status for the overview.
func (o Overview) Status() int {
	switch {
	case len(o.Findings) > 0:
		return StatusWrong
	case len(o.Troubles) > 0:
		return StatusUnknown
	}
	return StatusOK
}

// ReadOverview reads the state of every kernel, or of the invocation's alone. It changes
// nothing and takes no lock. An unknown kernel is an error.
func ReadOverview(ctx context.Context, inv Invocation) (Overview, error) {
	a := newAssessor(ctx, inv, withRecord(inv))
	survey, err := a.sys.layout.Survey()
	if err != nil {
		return Overview{}, err
	}
	kernels := survey.Kernels(a.sys.record)
	if inv.Kernel != "" {
		if err := among(inv.Kernel, kernels); err != nil {
			return Overview{}, err
		}
		kernels = []dkmsstate.Release{inv.Kernel}
	}
	return a.assess(survey, kernels), nil
}

// ReadBootOverview reads the state of the running kernel and of those that may boot next, and only
// what decides about their modules.
func ReadBootOverview(ctx context.Context, inv Invocation) (Overview, error) {
	return newAssessor(ctx, inv, withRecord(inv)).bootOverview()
}

func (a *assessor) bootOverview() (Overview, error) {
	survey, err := a.sys.layout.Survey()
	if err != nil {
		return Overview{}, err
	}
	a.bootTroubles()
	o := a.assess(survey, a.boot.kernels)
	o.Findings = slices.DeleteFunc(o.Findings, func(f Finding) bool { return !f.Boot })
	return o, nil
}

// bootTroubles adds why it is not known which kernels matter: the configuration of a boot loader
// cannot be used, or no image can be found because /boot cannot be read.
func (a *assessor) bootTroubles() {
	if next := a.boot.next; next.Certainty == bootloader.Unknown && next.Loader != "" {
		a.trouble(fmt.Errorf("cannot determine which kernel boots next: %s", next.Reason))
	}
	if _, err := os.ReadDir(a.sys.layout.Path("/boot")); errors.Is(err, fs.ErrPermission) {
		a.trouble(fmt.Errorf("cannot determine which kernels have an image: %w", err))
	}
}

// NextBootText returns which kernel starts next, and what decides.
func (o Overview) NextBootText() string { return nextBootText(o.NextBoot) }

// On returns the findings about a kernel, or with "" those that concern every kernel.
func (o Overview) On(kernel dkmsstate.Release) []Finding {
	return slices.DeleteFunc(slices.Clone(o.Findings), func(f Finding) bool { return f.Kernel != kernel })
}

// assess reads the state of the machine and of some kernels.
func (a *assessor) assess(survey *dkmsstate.Survey, kernels []dkmsstate.Release) Overview {
	a.o.Registered = append(a.o.Registered, survey.Modules()...)
	a.o.Troubles = append(a.o.Troubles, a.sys.troubles...)
	a.machine(survey)
	for _, kernel := range kernels {
		a.o.Kernels = append(a.o.Kernels, a.examine(survey, kernel).view())
	}
	a.rebootHeld()
	return a.o
}

// examine reads a kernel, and returns its assessor.
func (a *assessor) examine(survey *dkmsstate.Survey, kernel dkmsstate.Release) kernelAssessor {
	kept := a.sys.record.Kernel(kernel)
	s := survey.Snapshot(kernel, machineArch(), kept)
	fresh.Examine(a.ctx, &s, kept)
	return a.on(s, kept)
}
