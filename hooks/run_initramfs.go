package hooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/record"
)

// noteInitramfs notes that the kernel's initramfs may contain modules that this run changed.
// names are the names of the modules' files, without .ko. There is nothing to note if the
// kernel's package makes the initramfs afterwards, or if no tool can make one.
func (r *run) noteInitramfs(names []string) error {
	layout := r.machine.Layout
	if _, err := os.Stat(layout.InitramfsPath(r.inv.Kernel)); err != nil || len(names) == 0 || layout.Root != "/" || r.imageFollows() || dkms.InitramfsCommand(r.inv.Kernel) == nil {
		return nil
	}
	return record.NoteOwed(layout, dkmsstate.InitramfsDir, r.inv.Kernel, names)
}

// initramfs updates the kernel's initramfs if that is noted, and if it contains, or should
// contain, a module that was changed. It does not hold the lock of the modules, since it runs
// programs of other packages that may wait for that lock: systemd-boot's hook calls our own.
//
// If that fails, the note stays with the reason, and the kernel's own hooks and each reconcile
// try again. Without proof that the initramfs contains such a module, it is left as it is, as
// with the hooks of dkms.
func (r *run) initramfs(ctx context.Context) error {
	layout, kernel := r.machine.Layout, r.inv.Kernel
	if ctx.Err() != nil || layout.Root != "/" {
		return nil
	}
	if note, noted := layout.InitramfsNoted(kernel); !noted && note.ID != "" { // somebody has made it since
		return errors.Join(record.DropInitramfs(layout, kernel), record.NoteOwedDone(layout, dkmsstate.InitramfsDir, kernel, note))
	} else if !noted {
		return nil
	}
	lock, err := record.AcquireInitramfs(ctx, layout, r.config.lockLimit(), func() {
		r.report.infof("waiting for another run that updates an initramfs (at most %s)", r.config.lockLimit())
	})
	if err != nil {
		return fmt.Errorf("the initramfs of %s is not updated yet: %w", kernel, err)
	}
	defer lock.Close()
	note, noted := layout.InitramfsNoted(kernel)
	if !noted {
		return nil // the other run has updated it
	}
	if layout.KeptInitramfs(kernel) {
		note = r.takeOver(note)
	}
	update := initramfsUpdate{run: r, engine: engine(r.inv, layout, r.config.Config, lock),
		log: record.NewInitramfsLog(layout, kernel), names: note.Names}
	defer update.log.Close()
	if err = update.recover(ctx); err == nil && r.refusedBefore(note) {
		return nil // it was reported before, and status and check report it
	}
	why := ""
	if err == nil {
		why = update.why(ctx)
	}
	if why != "" {
		r.report.infof("updating the initramfs of %s: %s", kernel, why)
		note = r.takeOver(note)
		update.names = note.Names
		err = update.replace(ctx)
	}
	switch {
	case err == nil:
		return record.NoteOwedDone(layout, dkmsstate.InitramfsDir, kernel, note)
	case ctx.Err() != nil:
		return err
	}
	told := fmt.Errorf("the initramfs of %s is not updated and may contain an old module (manually: %s): %w", kernel, initramfsCommand(r.inv, layout, kernel), err)
	if strings.HasPrefix(err.Error(), made) {
		told = fmt.Errorf("the initramfs of %s: %w (manually: %s)", kernel, err, initramfsCommand(r.inv, layout, kernel))
	}
	if update.log.Close() != "" {
		told = loggedError{told, record.InitramfsLog}
	}
	return errors.Join(told, record.NoteOwedFailed(layout, dkmsstate.InitramfsDir, kernel, note, err))
}

// takeOver notes that this run updates the initramfs, so that hooks below it know. It returns the
// new note, which may have more names, or the present one if no new one can be written.
func (r *run) takeOver(note dkmsstate.OwedNote) dkmsstate.OwedNote {
	if taken, err := record.TakeOver(r.machine.Layout, dkmsstate.InitramfsDir, r.inv.Kernel); err == nil {
		return taken
	}
	return note
}

// refusedBefore reports whether the initramfs that an earlier run made lacked a module, and nobody
// asks for another one. Without an initramfs, as of a kernel that is gone, there is nothing to ask for.
func (r *run) refusedBefore(note dkmsstate.OwedNote) bool {
	return strings.HasPrefix(note.Reason, lacks) && r.reconciling && r.inv.Script.Name != "" && dkmsstate.Exists(r.machine.Layout.InitramfsPath(r.inv.Kernel))
}

// initramfsCommand returns the command by which a person updates a kernel's initramfs.
func initramfsCommand(inv Invocation, layout dkmsstate.Layout, kernel dkmsstate.Release) string {
	never := dkms.NeverUpdatesInitramfs(layout)
	mode := "-u"
	if never {
		mode = "-c"
	}
	command := fmt.Sprintf("update-initramfs %s -k %s", mode, kernel)
	switch {
	case inv.elsewhere() && !dkmsstate.Exists(layout.Path("/usr/sbin/update-initramfs")):
		command = reconcileCommand
	case !inv.elsewhere() && !never:
		command = cmp.Or(strings.Join(dkms.InitramfsCommand(kernel), " "), reconcileCommand)
	}
	return inv.Command(command)
}

// afterLock finishes runs on kernels that no hook was called for, once the lock is released. It
// prints advice that other programs give, and updates the initramfs.
func afterLock(ctx context.Context, runs []*run) {
	for _, r := range runs {
		r.report.close()
		if err := errors.Join(r.postTransaction(ctx), r.initramfs(ctx)); err != nil && ctx.Err() == nil {
			r.report.runFailed(err, r.inv.Command(reconcileCommand))
		}
	}
}

// imageFollows reports whether the kernel's package makes the initramfs itself after this run.
// It does if it runs the hook, or if it is still to be configured.
func (r *run) imageFollows() bool {
	if r.inv.Script.Name == "" {
		return false
	}
	if r.inv.Hook == Postinst || r.verdict == Unbuild {
		return true
	}
	db, err := r.inv.database()
	if err != nil {
		return false
	}
	owners, err := db.Owners(string(r.inv.Kernel))
	return err == nil && slices.ContainsFunc(owners, func(p debpkg.Package) bool {
		return p.Name != r.inv.Script.Package && p.Status.Unconfigured() && db.HasPostinst(p)
	})
}

// changedModules returns the names of the module files that a run changed. After an interrupted
// run it returns all of them.
func changedModules(before, after dkmsstate.Snapshot, results []apply.Result) []string {
	var names []string
	for _, b := range slices.Concat(before.Builds, after.Builds) {
		touched := before.DepmodPending || before.Unfinished.Begun() || slices.ContainsFunc(results, func(res apply.Result) bool {
			return res.Outcome == apply.Done && res.Task.Module == b.Module && (res.Task.Installs() || res.Task.Removes())
		})
		for _, name := range b.Names() {
			if touched && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
