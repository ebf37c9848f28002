package hooks

import (
	"fmt"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
)

// Finding is one thing that is wrong with the machine, and how it is fixed.
type Finding struct {
	Kind FindingKind `json:"kind"`
	// Kernel is the kernel that it concerns, "" for every kernel.
	Kernel dkmsstate.Release `json:"kernel,omitempty"`
	// Module is the module that it concerns, as NAME/VERSION or NAME. File is the path of the
	// file. Both are "" if it concerns no single one.
	Module string `json:"module,omitempty"`
	File   string `json:"file,omitempty"`
	// Reason describes the problem in one line.
	Reason string `json:"reason"`
	// Since is when a run first recorded the problem, zero if none did.
	Since time.Time `json:"since,omitzero"`
	// Fix is the command that fixes the problem, or what to do if there is no such command.
	Fix string `json:"fix"`
	// Repairable reports whether `check --repair` fixes the problem.
	Repairable bool `json:"repairable"`
	// Boot reports whether the problem concerns the modules of the running kernel or of one
	// that may boot next.
	Boot bool `json:"boot"`
}

// FindingKind is the kind of a Finding.
type FindingKind string

// The kinds of findings.
const (
	// Broken is a module, or what is installed of it, that cannot be used as it is.
	Broken FindingKind = "broken"
	// Missing is a module that dkms would install on a kernel and that is not installed there.
	Missing FindingKind = "missing"
	// Failed is a missing module whose last build or installation failed.
	Failed FindingKind = "failed"
	// Required is a module that the configuration requires and that is not installed.
	Required FindingKind = "required"
	// Forgotten is a module whose package is installed, or unpacked, and that is not registered with dkms.
	Forgotten FindingKind = "forgotten"
	// Stale is a build that does not fit its kernel.
	Stale FindingKind = "stale"
	// Shadowed is an installed module in whose place modprobe loads another file, although no
	// line of the administrator says so.
	Shadowed FindingKind = "shadowed"
	// Refused is an installed module that the kernel does not load, since it does not accept its
	// signature.
	Refused FindingKind = "refused"
	// OldInitramfs is an installed module of which the initramfs contains another build.
	OldInitramfs FindingKind = "initramfs"
	// Unowned is an installed file that belongs to no build and to no package.
	Unowned FindingKind = "unowned"
	// Gone is what is left of a kernel that is gone.
	Gone FindingKind = "gone"
	// Leftover is a file that a killed program left.
	Leftover FindingKind = "leftover"
	// Unfinished is work on a kernel that an earlier run did not finish.
	Unfinished FindingKind = "unfinished"
	// BadHook is a hook of this package that does not run, or one of dkms that runs beside it.
	BadHook FindingKind = "hook"
	// BadConfig is a mistake in a configuration file.
	BadConfig FindingKind = "configuration"
)

// FindingKinds returns every kind.
func FindingKinds() []FindingKind {
	return []FindingKind{Broken, Missing, Failed, Required, Forgotten, Stale, Refused, Shadowed, OldInitramfs, Unowned, Gone, Leftover, Unfinished, BadHook, BadConfig}
}

// decidesBoot reports whether a problem of the kind decides about the modules of the next boot.
// The other kinds are things that lie around.
func (k FindingKind) decidesBoot() bool {
	return !slices.Contains([]FindingKind{Unowned, Gone, Leftover}, k)
}

// Where names what the finding is about.
func (f Finding) Where() string {
	what := f.Module
	if what == "" {
		what = f.File
	}
	switch {
	case f.Kernel == "" || f.File != "" && f.Kind != Broken:
		return what
	case what == "":
		return string(f.Kernel)
	}
	return fmt.Sprintf("%s on %s", what, f.Kernel)
}
