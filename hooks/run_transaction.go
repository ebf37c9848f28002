package hooks

import (
	"context"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/record"
)

// noteTransaction notes that post_transaction of framework.conf(5) is to be run for the kernel: this
// run has installed modules, or it finishes one that may have.
func (r *run) noteTransaction(before dkmsstate.Snapshot, results []apply.Result) error {
	layout := r.machine.Layout
	installed := before.Unfinished.Begun() || slices.ContainsFunc(results, func(res apply.Result) bool {
		return res.Outcome == apply.Done && res.Task.Installs()
	})
	if layout.PostTransaction == nil || layout.Root != "/" || r.verdict == Unbuild || !installed {
		return nil
	}
	return record.NoteOwed(layout, dkmsstate.TransactionDir, r.inv.Kernel, nil)
}

// postTransaction runs the command post_transaction if that is noted: once, after depmod. Like
// initramfs it does not hold the lock of the modules. The note stays if the run is interrupted. A
// command that fails is only reported and not repeated, since dkms ignores its status. For a kernel
// that goes, nothing is owed any more.
func (r *run) postTransaction(ctx context.Context) error {
	layout, kernel := r.machine.Layout, r.inv.Kernel
	note, noted := layout.TransactionNoted(kernel)
	if !noted || note.Active() || layout.Root != "/" || ctx.Err() != nil {
		return nil
	}
	if layout.PostTransaction != nil && layout.KernelThere(kernel) && r.verdict != Unbuild {
		if taken, err := record.TakeOver(layout, dkmsstate.TransactionDir, kernel); err == nil {
			note = taken // hooks below it know that this run is at work
		}
		command := layout.PostTransaction(kernel)
		r.report.infof("running post_transaction: %s", command)
		err := engine(r.inv, layout, r.config.Config, nil).PostTransaction(ctx, command)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.report.warnf("warning: post_transaction of %s failed: %v", dkmsstate.FrameworkConf, dkms.Explain(err))
		}
	}
	return record.NoteOwedDone(layout, dkmsstate.TransactionDir, kernel, note)
}
