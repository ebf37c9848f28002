package hooks

import (
	"cmp"
	"fmt"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// unfinished is the work on a kernel that is not finished.
type unfinished struct {
	modules   dkmsstate.UnfinishedNote
	initramfs dkmsstate.OwedNote
	// owed reports whether the initramfs is to be checked.
	owed bool
	// transaction is the note that post_transaction is to be run, and command reports whether
	// there is one.
	transaction dkmsstate.OwedNote
	command     bool
}

func readUnfinished(layout dkmsstate.Layout, kernel dkmsstate.Release) unfinished {
	u := unfinished{modules: layout.Unfinished(kernel)}
	u.initramfs, u.owed = layout.InitramfsNoted(kernel)
	u.transaction, u.command = layout.TransactionNoted(kernel)
	return u
}

// active reports whether another run is at work on the kernel.
func (u unfinished) active() bool {
	return u.modules.Active() || u.owed && u.initramfs.Active() || u.command && u.transaction.Active()
}

// why returns why the work on the modules is not finished, "" if it is or if a run is doing it.
func (u unfinished) why() dkmsstate.Unfinished {
	if u.modules.Active() {
		return ""
	}
	return u.modules.Why
}

// text describes the unfinished work on the modules, "" for none.
func (u unfinished) text() string {
	switch u.why() {
	case dkmsstate.Interrupted:
		return "an earlier run was interrupted"
	case dkmsstate.Failed:
		return "an earlier run failed: " + u.modules.Reason
	case dkmsstate.Deferred:
		return "an earlier run was postponed, because another run held the lock"
	}
	return ""
}

// initramfsText describes why the initramfs may contain an old module or is not in use, "" if neither
// or if a run is about to check it.
func (u unfinished) initramfsText() string {
	switch {
	case !u.owed || u.initramfs.Active():
		return ""
	case strings.HasPrefix(u.initramfs.Reason, made):
		return u.initramfs.Reason
	}
	return "it may contain a module that has changed since: " + cmp.Or(u.initramfs.Reason, "the run that changed it was interrupted")
}

// transactionText describes a post_transaction that was not run, "" if there is none or if a run
// is about to run it.
func (u unfinished) transactionText() string {
	if !u.command || u.transaction.Active() {
		return ""
	}
	return "post_transaction of " + dkmsstate.FrameworkConf + " was not run: the run that installed modules was interrupted"
}

// unfinished finds work that is not finished. What has failed may fail again.
func (k kernelAssessor) unfinished() {
	if text := k.work.text(); k.work.why() == dkmsstate.Failed {
		k.addHere(Finding{Kind: Unfinished, Reason: text, Fix: fixThenRun(k.repair().command)})
	} else if text != "" {
		k.repairable(Finding{Kind: Unfinished, Reason: text})
	}
	if text := k.work.transactionText(); text != "" {
		k.repairable(Finding{Kind: Unfinished, Reason: text})
	}
	if text := k.work.initramfsText(); text != "" {
		f := Finding{Kind: Unfinished, File: k.s.Layout.InitramfsPath(k.s.Kernel), Reason: text}
		if k.work.initramfs.Reason == "" { // interrupted, and nothing has to be fixed
			k.repairable(f)
		} else {
			f.Fix = k.initramfsFix()
			k.addHere(f)
		}
	}
}

// initramfsFix returns what to do about an initramfs that is not updated.
func (k kernelAssessor) initramfsFix() string {
	command := initramfsCommand(k.inv, k.s.Layout, k.s.Kernel)
	if !dkmsstate.Exists(record.InitramfsLogPath(k.s.Layout, k.s.Kernel)) {
		return fixThenRun(command)
	}
	return fmt.Sprintf("fix the error (%s), then run: %s", k.inv.logCommand(k.s.Kernel, record.InitramfsLog), command)
}

// repairCommand returns what repairs the kernel of the invocation, and reports whether a reconcile
// does: it leaves a kernel alone whose packages are not configured, and one that nothing can start.
func repairCommand(inv Invocation, w World, d Decision) (command string, reconciles bool) {
	switch {
	case w.There && len(w.Unconfigured) > 0:
		return configureCommand(inv, w.Unconfigured), false
	case d.Verdict == Keep:
		return inv.runPostinst(inv.Kernel), false
	}
	return inv.Command(reconcileCommand), true
}

// configureCommand returns what configures packages. dpkg configures none that was only unpacked
// in part.
func configureCommand(inv Invocation, packages []debpkg.Package) string {
	for _, p := range packages {
		if p.Status.State == debpkg.HalfInstalled {
			return inv.Command("apt reinstall " + p.Name)
		}
	}
	return inv.Command(configurePackages)
}
