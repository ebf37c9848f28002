package hooks

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// updateRecord records how the run ended. A recorded failure is neither
// retried nor reported again while nothing has changed. Builds are recorded with what they were
// built from.
func (r *run) updateRecord(kept dkmsstate.KernelRecord, before dkmsstate.Snapshot) error {
	if r.verdict == Unbuild {
		return r.dropRecord(kept)
	}
	if unpacked := before.Unpacked(); unpacked != kept.Unpacked {
		kept.Unpacked, kept.Looked = unpacked, time.Now()
	}
	kept.Last, kept.RemovedBy = r.lastAttempts(kept.Last, before), ""
	kept.Installed = r.installed(kept.Installed)
	if len(r.outcomes) > 0 {
		kept.Run = r.dpkg
	}
	if !reflect.DeepEqual(kept, r.record.Kernel(r.inv.Kernel)) {
		*r.record = r.record.With(r.inv.Kernel, kept)
		return record.Write(r.machine.Layout, *r.record)
	}
	return nil
}

// lastAttempts returns the last attempt for each module: that of this run, or an earlier one
// that still holds.
func (r *run) lastAttempts(earlier map[string]dkmsstate.Last, before dkmsstate.Snapshot) map[string]dkmsstate.Last {
	last := map[string]dkmsstate.Last{}
	for module, attempt := range earlier {
		_, reported := r.reported[module]
		excluded := attempt.Result == dkmsstate.LastSkipped && r.after.Recurs(module, attempt)
		if reported || excluded || attempt.Result == dkmsstate.LastInstalled && r.after.Installed(module) {
			last[module] = attempt
		}
	}
	for module, attempt := range r.outcomes {
		if attempt.Result != dkmsstate.LastInstalled {
			attempt = r.withInputs(module, attempt, before)
		}
		if attempt.Took == 0 { // it was installed again without a build
			attempt.Took = earlier[module].Took
		}
		last[module] = attempt
	}
	return last
}

// withInputs adds to an attempt what it started from.
func (r *run) withInputs(module string, attempt dkmsstate.Last, before dkmsstate.Snapshot) dkmsstate.Last {
	name, version, _ := strings.Cut(module, "/")
	link, _ := r.after.Link(name, r.after.Arch)
	attempt.Inputs, attempt.Linked = before.Inputs(module), link.Version
	if attempt.Result == dkmsstate.LastFailed {
		attempt.Packages, attempt.Compiler = r.inv.packages(), r.machine.Layout.Compiler()
	}
	if attempt.Cause == dkmsstate.CauseInKernel {
		attempt.Rivals = r.after.Rivals(dkmsstate.Module{Name: name, Version: version})
	}
	return attempt
}

// dropRecord drops the record of a kernel that is removed. While dpkg may still abort the
// removal, it only records the removal.
func (r *run) dropRecord(kept dkmsstate.KernelRecord) error {
	if r.machine.Backup {
		return r.recordRemoval(kept)
	}
	layout, kernel := r.machine.Layout, r.inv.Kernel
	err := errors.Join(record.RemoveLogs(layout, kernel), record.RemoveLook(layout, kernel), record.DropInitramfs(layout, kernel), record.DropHeld(layout, kernel))
	if _, known := r.record.Kernels[kernel]; !known {
		return err
	}
	*r.record = r.record.Without(kernel)
	return errors.Join(err, record.Write(layout, *r.record))
}

// recordRemoval records whose removal deleted the builds, until its outcome is known.
func (r *run) recordRemoval(kept dkmsstate.KernelRecord) error {
	kept.RemovedBy = r.inv.Script.Package
	if kept.RemovedBy == r.record.Kernel(r.inv.Kernel).RemovedBy {
		return nil
	}
	*r.record = r.record.With(r.inv.Kernel, kept)
	return record.Write(r.machine.Layout, *r.record)
}

// mustFail reports whether the configuration requires the hook to fail. If it does, mustFail
// prints why, what that stops, and how to continue.
func (r *run) mustFail() bool {
	var why []string
	required := r.config.Required
	if r.unread != nil && len(required) > 0 {
		// Nothing proves that one is missing. The stock hooks let the package be configured.
		r.report.warnf("warning: whether %s is installed, which the configuration requires, is not known: %v", strings.Join(required, ", "), r.unread)
		required = nil
	}
	for _, name := range required {
		switch {
		case r.config.excuses(r.after, name, r.excluded):
		case !r.after.Installed(name):
			why = append(why, name+" is required by the configuration and is not installed")
		case r.failed(name):
			why = append(why, name+" is required by the configuration and does not fit the kernel")
		}
	}
	if r.config.Strict {
		for _, module := range slices.Sorted(maps.Keys(r.outcomes)) {
			if r.outcomes[module].Result == dkmsstate.LastFailed {
				why = append(why, module+" failed, and On-Failure is strict")
			}
		}
		if len(r.dropped) > 0 {
			why = append(why, moduleList(r.dropped)+" failed (reported above), and On-Failure is strict")
		}
	}
	if len(why) == 0 {
		return false
	}
	r.report.warnf("error: %s", strings.Join(why, "; "))
	if r.inv.Script.Name == "" {
		r.report.warnf("  next: fix this or change the configuration (%s), then run: %s", r.inv.Command("dkms-hooks config"), r.inv.again())
		return true
	}
	r.report.warnf("  %s is not configured%s", r.inv.callerName(), r.inv.laterHooks())
	r.report.warnf("  next: fix this or change the configuration (%s), then run: %s", r.inv.Command("dkms-hooks config"), r.inv.Command(configurePackages))
	return true
}

// laterHooks describes what a failure of this hook means for the hooks after it. The packages of
// Debian end with the first hook that fails. Those of make bindeb-pkg run the others all the
// same, and fail at the end (run-parts(8), --exit-on-error).
func (inv Invocation) laterHooks() string {
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", os.Getppid()))
	args := strings.Split(string(command), "\x00")
	switch {
	case inv.Hook != Postinst || filepath.Base(args[0]) != "run-parts":
		return ""
	case slices.Contains(args, "--exit-on-error"):
		return ", and later hooks are not run: its initramfs and boot loader are not updated"
	}
	return "; later hooks, such as those of the initramfs and the boot loader, are run all the same"
}

// excluded reports whether a module is not meant for the kernel, according to this run or an
// earlier one.
func (r *run) excluded(reg dkmsstate.Registration) bool {
	if last, tried := r.outcomes[reg.Module.String()]; tried {
		return last.Result == dkmsstate.LastSkipped
	}
	var kept dkmsstate.KernelRecord
	if r.record != nil {
		kept = r.record.Kernel(r.inv.Kernel)
	}
	return r.after.NotMeant(reg.Module, kept) != ""
}

// anyFailed reports whether an error ended the run, or a module could not be brought up to date.
func (r *run) anyFailed() bool {
	for _, last := range r.outcomes {
		if last.Result == dkmsstate.LastFailed {
			return true
		}
	}
	return r.broken || len(r.dropped) > 0
}

// failed reports whether a module could not be brought up to date, by this run or by an earlier
// one that reported it. An older build of it may be installed.
func (r *run) failed(name string) bool {
	for module := range r.reported { // there is none before the record is read
		skipped := r.record.Kernel(r.inv.Kernel).Last[module].Result == dkmsstate.LastSkipped
		if of, _, _ := strings.Cut(module, "/"); of == name && !skipped {
			return true
		}
	}
	for module, last := range r.outcomes {
		if of, _, _ := strings.Cut(module, "/"); of == name && last.Result != dkmsstate.LastInstalled && last.Result != dkmsstate.LastSkipped {
			return true
		}
	}
	return false
}
