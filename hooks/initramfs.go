package hooks

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// initramfs makes the kernel's initramfs anew when it holds a module that this run
// changed, or should hold one. names are those of the modules' files without .ko.
func (r *run) initramfs(ctx context.Context, names []string) error {
	layout := r.machine.Layout
	if _, err := os.Stat(layout.InitramfsPath(r.inv.Kernel)); err != nil || len(names) == 0 || layout.Root != "/" || r.imageFollows() {
		return nil
	}
	why := "it boots from " + strings.Join(layout.BootModules(names), ", ")
	if len(layout.BootModules(names)) == 0 {
		holds, err := r.machine.Engine.InitramfsHolds(ctx, r.inv.Kernel, names)
		if err != nil {
			return err
		}
		if !holds {
			return nil
		}
		why = "it holds a module that has changed"
	}
	r.report.say("making the initramfs of %s anew: %s", r.inv.Kernel, why)
	if err := r.machine.Engine.Initramfs(ctx, r.inv.Kernel); err != nil {
		return fmt.Errorf("cannot make the initramfs of %s anew (by hand: update-initramfs -u -k %s): %w", r.inv.Kernel, r.inv.Kernel, dkmsstate.Explain(err))
	}
	return nil
}

// imageFollows says that the kernel's image makes its initramfs itself when this run
// is over: it is the one that runs the hook, or it waits to be configured.
func (r *run) imageFollows() bool {
	if r.inv.Script.Name == "" {
		return false
	}
	if r.inv.Hook == Postinst || r.verdict == Unbuild {
		return true
	}
	db, err := debpkg.Open(r.inv.AdminDir)
	if err != nil {
		return false
	}
	owners, err := db.Owners(string(r.inv.Kernel))
	return err == nil && slices.ContainsFunc(owners, func(p debpkg.Package) bool {
		return p.Name != r.inv.Script.Package && p.Status.Waiting() && db.HasPostinst(p)
	})
}

// changedModules gives the names of the files of the modules that a run changed: all
// of them after one that was cut off.
func changedModules(before, after dkmsstate.Snapshot, results []dkmsstate.Result) []string {
	var names []string
	for _, s := range []dkmsstate.Snapshot{before, after} {
		for _, b := range s.Builds {
			touched := before.Owed || slices.ContainsFunc(results, func(res dkmsstate.Result) bool {
				return res.Outcome == dkmsstate.Done && res.Task.Module == b.Module && (res.Task.Installs() || res.Task.Removes())
			})
			for _, name := range b.Names() {
				if touched && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}
