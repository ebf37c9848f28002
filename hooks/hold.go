package hooks

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/dkmsstate/reboot"
)

// RebootHold is why a reboot is held: required modules will not load on the kernel that boots
// next.
type RebootHold struct {
	// Kernel is that kernel, and Modules are the names of the modules. Both are empty if nothing
	// holds the reboot any more, or the kernel was not looked at.
	Kernel  dkmsstate.Release `json:"kernel,omitempty"`
	Modules []string          `json:"modules"`
	// which describes the kernel.
	which string
}

// String describes the hold in a line.
func (h RebootHold) String() string {
	if len(h.Modules) == 0 {
		return reboot.File + " is set aside"
	}
	return fmt.Sprintf("%s will not load on %s (%s), and %s is set aside", moduleList(h.Modules), h.Kernel, h.which, reboot.File)
}

// notice describes the hold in a line of the notice.
func (h RebootHold) notice() string {
	if len(h.Modules) == 0 {
		return h.String()
	}
	return fmt.Sprintf("no automatic reboot while %s will not load on %s: %s is set aside", moduleList(h.Modules), h.Kernel, reboot.File)
}

// Release returns what ends the hold.
func (h RebootHold) Release() string {
	if len(h.Modules) == 0 {
		return "dkms-hooks reconcile puts it back, unless a required module will not load"
	}
	return fmt.Sprintf("repair the modules, or remove Hold-Reboot from %s, then run: %s; a reboot by hand is possible", ConfigFile, reconcileCommand)
}

// newHold returns the hold by modules on the kernel that boots next.
func newHold(o Overview, modules []string) *RebootHold {
	h := &RebootHold{Kernel: o.NextBoot.Kernel, Modules: modules, which: "boots next"}
	if o.NextBoot.Certainty == bootloader.Newest {
		h.which = "newest kernel"
	}
	return h
}

// nextKernel returns the kernel that boots next, and reports whether it is known and was looked at.
func (o Overview) nextKernel() (KernelView, bool) {
	i := slices.IndexFunc(o.Kernels, func(k KernelView) bool { return k.Present && k.Release == o.NextBoot.Kernel })
	if o.NextBoot.Certainty == bootloader.Unknown || i < 0 {
		return KernelView{}, false
	}
	return o.Kernels[i], true
}

// holdsReboot returns the required modules, by name, that will not load on the kernel that boots
// next. It returns none if that cannot be determined. A module loads if one of its versions does.
func holdsReboot(o Overview) []string {
	var names []string
	k, _ := o.nextKernel()
	for _, m := range k.Modules {
		loads := slices.ContainsFunc(k.Modules, func(other ModuleView) bool {
			return other.Module == m.Module && other.Load != nil && !other.willNotLoad()
		})
		if m.Required && m.willNotLoad() && !loads && !slices.Contains(names, m.Module) {
			names = append(names, m.Module)
		}
	}
	return append(names, k.lacks...)
}

// willNotLoad reports whether the module certainly does not load on its kernel.
func (m ModuleView) willNotLoad() bool {
	return m.Load != nil && m.Load.Verdict == WillNotLoad
}

// rebootHeld reads whether a reboot is held, and why.
func (a *assessor) rebootHeld() {
	if a.boot.origin == notBooted || !reboot.Held(a.sys.layout) {
		return
	}
	a.o.RebootHeld = &RebootHold{Modules: []string{}}
	if names := holdsReboot(a.o); len(names) > 0 {
		a.o.RebootHeld = newHold(a.o, names)
	}
}

// holdChange is what became of the request for a reboot.
type holdChange int

const (
	holdUnchanged holdChange = iota
	rebootHeldNow
	rebootReleased
)

// holdReboot sets the request for a reboot aside, or puts it back, as the configuration and the
// modules demand. Only the booted system is concerned. A chroot or a container may have the /run
// of another one.
func (a *assessor) holdReboot(o *Overview, command string) (holdChange, error) {
	layout, origin := a.sys.layout, a.boot.origin
	if origin == notBooted || os.Geteuid() != 0 {
		return holdUnchanged, nil
	}
	if next, _ := o.nextKernel(); next.Active && a.sys.config.HoldReboot {
		return holdUnchanged, nil // the end of that run decides
	}
	names := holdsReboot(*o)
	inv := a.inv
	inv.Kernel = o.NextBoot.Kernel
	if a.sys.config.HoldReboot && len(names) > 0 && origin == booted {
		changed, err := reboot.Hold(a.ctx, layout)
		if reboot.Held(layout) {
			o.RebootHeld = newHold(*o, names)
		}
		if !changed {
			return holdUnchanged, err
		}
		remember(layout, inv, Event{Did: "held", Text: o.RebootHeld.String(), Hook: command})
		return rebootHeldNow, err
	}
	released, err := release(a.ctx, layout, inv, command)
	if !released {
		return holdUnchanged, err
	}
	o.RebootHeld = nil
	return rebootReleased, err
}

// What is printed when a request for a reboot was set aside, and when it is back.
const (
	rebootHeldText     = "warning: a reboot is held, since a required module will not load; why: dkms-hooks status --boot"
	rebootReleasedText = "the reboot is no longer held: " + reboot.File + " is back"
)

// release puts the request for a reboot back, and reports whether there was one.
func release(ctx context.Context, layout dkmsstate.Layout, inv Invocation, command string) (bool, error) {
	released, err := reboot.Release(ctx, layout)
	if released {
		remember(layout, inv, Event{Did: "released", Text: rebootReleasedText, Hook: command})
	}
	return released, err
}

// unknownRequired returns the required modules that dkms does not know, if the kernel has no file
// that could be of them: none of that name, and none of an unknown build.
func (k kernelAssessor) unknownRequired() []string {
	var names []string
	for _, name := range k.sys.config.Required {
		known := len(k.s.RegistrationsOf(name)) > 0
		if !known && k.requires(name) && len(k.s.Unowned) == 0 && !k.s.MayHave(name) {
			names = append(names, name)
		}
	}
	return names
}

// RebootIsHeld reports whether a request for a reboot is set aside.
func RebootIsHeld(inv Invocation) bool {
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	return readOrigin(layout) != notBooted && reboot.Held(layout)
}

// ReleaseReboot puts the request for a reboot back, and returns the exit status. It is run before
// this package is removed.
func ReleaseReboot(ctx context.Context, inv Invocation, stderr io.Writer) int {
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	if readOrigin(layout) == notBooted {
		return StatusOK
	}
	released, err := release(ctx, layout, inv, remindCommand)
	if released {
		Sayf(stderr, "%s", rebootReleasedText)
	}
	if err != nil {
		Sayf(stderr, "failed: %v", err)
		return failedStatus(err)
	}
	return StatusOK
}
