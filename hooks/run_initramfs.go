package hooks

import (
	"context"
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

// noteInitramfs notes that the kernel's initramfs may hold what this run changed. names
// are those of the modules' files without .ko. The image makes its own when it follows,
// and without a tool for it there is nothing to be done here.
func (r *run) noteInitramfs(names []string) error {
	layout := r.machine.Layout
	if _, err := os.Stat(dkms.InitramfsPath(layout, r.inv.Kernel)); err != nil || len(names) == 0 || layout.Root != "/" || r.imageFollows() || !dkms.MakesInitramfs() {
		return nil
	}
	return record.NoteInitramfs(layout, r.inv.Kernel, names)
}

// initramfs makes the kernel's initramfs anew when one is owed, and it holds a module
// that was changed or should hold one. That runs without the lock of the modules, which
// programs of others may wait for: systemd-boot's hook ends in our own.
func (r *run) initramfs(ctx context.Context) error {
	layout, kernel := r.machine.Layout, r.inv.Kernel
	if _, noted := layout.InitramfsNoted(kernel); !noted || ctx.Err() != nil || layout.Root != "/" {
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
		return nil // that run has made it
	}
	if err := r.updateInitramfs(ctx, engine(r.inv, layout, r.config, lock), note.Names); err != nil {
		return err
	}
	return record.NoteInitramfsDone(layout, kernel, note)
}

func (r *run) updateInitramfs(ctx context.Context, engine dkms.Engine, names []string) error {
	layout, kernel := r.machine.Layout, r.inv.Kernel
	if _, err := os.Stat(dkms.InitramfsPath(layout, kernel)); err != nil || r.imageFollows() {
		return nil
	}
	why := "booting needs " + strings.Join(dkms.BootModules(layout, names), ", ")
	if len(dkms.BootModules(layout, names)) == 0 {
		holds, err := engine.InitramfsHolds(ctx, kernel, names)
		if err != nil {
			return err
		}
		if !holds {
			return nil
		}
		why = "it contains a module that has changed"
	}
	r.report.infof("updating the initramfs of %s: %s", kernel, why)
	if err := engine.Initramfs(ctx, kernel); err != nil {
		return fmt.Errorf("cannot update the initramfs of %s (manually: update-initramfs -u -k %s): %w", kernel, kernel, dkms.Explain(err))
	}
	return nil
}

// afterLock finishes runs that nobody named, when the lock is free: it says what
// takes other programs to find out, and makes what they owe.
func afterLock(ctx context.Context, runs []*run) {
	for _, r := range runs {
		r.report.close()
		if err := r.initramfs(ctx); err != nil && ctx.Err() == nil {
			r.report.runFailed(err, reconcileRepairs)
		}
	}
}

// imageFollows reports whether the kernel's image makes its initramfs itself when this run
// is over: it is the one that runs the hook, or it waits to be configured.
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

// changedModules returns the names of the files of the modules that a run changed: all
// of them after one that was cut off.
func changedModules(before, after dkmsstate.Snapshot, results []apply.Result) []string {
	var names []string
	for _, b := range slices.Concat(before.Builds, after.Builds) {
		touched := before.DepmodPending || slices.ContainsFunc(results, func(res apply.Result) bool {
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
