package hooks

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// remember keeps how the run ended: what was tried in vain is neither tried nor told
// again while nothing has changed, what no longer stands is dropped, and what was
// built is known by what it was built from.
func (r *run) remember(ctx context.Context, kept dkmsstate.KernelRecord, before dkmsstate.Snapshot) error {
	layout := r.machine.Layout
	if r.verdict == Unbuild {
		if r.machine.Backup {
			return r.rememberRemoval(kept)
		}
		if _, known := r.record.Kernels[r.inv.Kernel]; !known {
			return nil
		}
		*r.record = r.record.Without(r.inv.Kernel)
		return errors.Join(record.Write(layout, *r.record), record.RemoveLogs(layout, r.inv.Kernel), record.WriteNotice(layout, noticeText(ctx, layout, *r.record)))
	}
	last := map[string]dkmsstate.Last{}
	for module, l := range kept.Last {
		_, stands := r.reported[module]
		if stands || l.Result == dkmsstate.LastInstalled && r.after.Installed(module) {
			last[module] = l
		}
	}
	maps.Copy(last, r.outcomes)
	for module, l := range last {
		if l.Took == 0 { // what was installed again was not built
			l.Took = kept.Last[module].Took
			last[module] = l
		}
		if _, now := r.outcomes[module]; now && l.Result != dkmsstate.LastInstalled {
			name, _, _ := strings.Cut(module, "/")
			link, _ := r.after.Link(name, r.after.Arch)
			l.Inputs, l.Linked = before.Inputs(module), link.Version
			if l.Result == dkmsstate.LastFailed {
				l.Packages, l.Compiler = r.inv.packages(), layout.Compiler()
			}
			last[module] = l
		}
	}
	if unpacked := before.Unpacked(); unpacked != kept.Unpacked {
		kept.Unpacked, kept.Looked = unpacked, time.Now()
	}
	kept.Last, kept.RemovedBy = last, ""
	if len(r.outcomes) > 0 {
		kept.Run = r.dpkg
	}
	if !reflect.DeepEqual(kept, r.record.Kernel(r.inv.Kernel)) {
		*r.record = r.record.With(r.inv.Kernel, kept)
		if err := record.Write(layout, *r.record); err != nil {
			return err
		}
	}
	return record.WriteNotice(layout, noticeText(ctx, layout, *r.record))
}

// rememberRemoval notes which package's removal took the builds away, until it is known
// whether it went through.
func (r *run) rememberRemoval(kept dkmsstate.KernelRecord) error {
	kept.RemovedBy = r.inv.Script.Package
	if kept.RemovedBy == r.record.Kernel(r.inv.Kernel).RemovedBy {
		return nil
	}
	*r.record = r.record.With(r.inv.Kernel, kept)
	return record.Write(r.machine.Layout, *r.record)
}

// mustFail reports whether the hook has to fail as the configuration asks for, and in words
// why, what that stops and how to go on.
func (r *run) mustFail() bool {
	var why []string
	for _, name := range r.config.Required {
		switch {
		case !r.after.Installed(name):
			why = append(why, name+" is required by "+ConfigFile+" and is not installed")
		case r.failed(name):
			why = append(why, name+" is required by "+ConfigFile+" and does not fit the kernel")
		}
	}
	if r.config.Strict {
		for _, module := range slices.Sorted(maps.Keys(r.outcomes)) {
			if r.outcomes[module].Result == dkmsstate.LastFailed {
				why = append(why, module+" failed, and On-Failure is strict")
			}
		}
		if r.standing > 0 {
			why = append(why, "modules still fail (reported above), and On-Failure is strict")
		}
	}
	if len(why) == 0 {
		return false
	}
	r.report.tell("error: %s", strings.Join(why, "; "))
	r.report.tell("  %s is not configured: later steps, such as the initramfs and the boot loader, are not done for this kernel", r.inv.who())
	r.report.tell("  next: fix this or change %s, then run: dpkg --configure -a", ConfigFile)
	return true
}

// failed reports whether a module, which may be installed from before, could not be made as
// it should be, by this run or by one before it that told of it.
func (r *run) failed(name string) bool {
	for module := range r.reported {
		if of, _, _ := strings.Cut(module, "/"); of == name {
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
