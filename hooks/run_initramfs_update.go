package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/record"
)

// initramfsUpdate replaces the initramfs of a kernel. The one before is kept until the new one is
// found to contain what it should, and comes back if the new one does not.
type initramfsUpdate struct {
	run    *run
	engine dkms.Engine
	// log gets what the programs print.
	log *record.KeptLog
	// names are the modules that were changed.
	names []string
	// before is what the initramfs contains that is to be replaced. known reports whether that
	// could be read.
	before initramfs.Contents
	known  bool
}

// lacks begins the reason of an update that was refused.
const lacks = "the new one lacks "

// made begins the reason of an update after which only what is run for the new initramfs failed, such
// as a hook of a boot loader (afterInitramfs of package dkms).
const made = "it was made, but what is run after that failed: "

// read reads which modules an initramfs contains.
func (u *initramfsUpdate) read(ctx context.Context, file string) (initramfs.Contents, error) {
	return initramfs.Read(ctx, func(string) bool { return false }, file)
}

// in returns those of the changed modules that an initramfs contains, in any directory for which
// from returns true.
func (u *initramfsUpdate) in(c initramfs.Contents, from func(path string) bool) []string {
	var names []string
	for _, name := range u.names {
		name = dkmsstate.Underscored(name)
		if slices.ContainsFunc(c.Named(string(u.run.inv.Kernel), name), func(m initramfs.Module) bool { return from(m.Path) }) {
			names = append(names, name)
		}
	}
	return names
}

func anywhere(string) bool { return true }

// ofKernel reports whether a path below the directory of a kernel is that of a module of its own.
func ofKernel(path string) bool { return strings.HasPrefix(path, "kernel/") }

// why returns why the initramfs has to be updated, "" if it need not be: the system boots from a
// module that was changed, or the initramfs contains one. A file that cannot be read proves nothing.
// If its owner lets no program update it, why says so and returns "".
func (u *initramfsUpdate) why(ctx context.Context) string {
	r := u.run
	layout, kernel := r.machine.Layout, r.inv.Kernel
	never := dkms.NeverUpdatesInitramfs(layout)
	if _, err := os.Stat(layout.InitramfsPath(kernel)); err != nil || r.imageFollows() || !never && dkms.InitramfsCommand(kernel) == nil {
		return ""
	}
	reason := u.reason(ctx)
	if reason != "" && never {
		r.report.infof("the initramfs of %s is left as it is, as %s asks, although %s; to make it: %s", kernel, dkms.NoUpdate, reason, initramfsCommand(r.inv, layout, kernel))
		return ""
	}
	return reason
}

// reason returns why the initramfs has to be updated, whatever its owner wants.
func (u *initramfsUpdate) reason(ctx context.Context) string {
	r := u.run
	layout, kernel := r.machine.Layout, r.inv.Kernel
	var err error
	u.before, err = u.read(ctx, layout.InitramfsPath(kernel))
	u.known = err == nil
	if needed := dkms.BootModules(layout, u.names); len(needed) > 0 {
		return "booting needs " + strings.Join(needed, ", ")
	}
	if asking := u.asking(); len(asking) > 0 {
		return "REMAKE_INITRD is set in the dkms.conf of " + strings.Join(asking, ", ")
	}
	if held := u.in(u.before, anywhere); len(held) > 0 {
		return "it contains " + strings.Join(held, ", ") + ", which changed"
	}
	if err != nil && ctx.Err() == nil {
		r.report.infof("the initramfs of %s is left as it is, and may contain an old module: %v", kernel, err)
	}
	return ""
}

// asking returns the installed modules, of those that were changed, whose dkms.conf has dkms make the
// initramfs.
func (u *initramfsUpdate) asking() []string {
	after, asking := u.run.after, []string{}
	for _, b := range after.Builds {
		r, _ := after.Registration(b.Module)
		changed := slices.ContainsFunc(b.Names(), func(name string) bool { return slices.Contains(u.names, name) })
		if u.run.machine.Layout.RemakesInitramfs && r.Conf.RemakesInitramfs && changed && after.Linked(b) {
			asking = append(asking, b.Module.String())
		}
	}
	return asking
}

// replace rebuilds the initramfs.
func (u *initramfsUpdate) replace(ctx context.Context) error {
	layout, kernel := u.run.machine.Layout, u.run.inv.Kernel
	if err := record.KeepInitramfs(layout, kernel); err != nil {
		return errors.Join(err, record.DropInitramfs(layout, kernel))
	}
	if err := record.ListHeld(layout, kernel, u.in(u.before, ofKernel)); err != nil {
		return errors.Join(err, record.DropInitramfs(layout, kernel))
	}
	before := u.written()
	failed := dkms.Explain(u.engine.Initramfs(ctx, kernel, u.log))
	if failed == nil && before == u.written() {
		failed = errors.New("it was not written, for example since /boot is mounted read-only") // update-initramfs(8) ends well
	}
	ctx = context.WithoutCancel(ctx)
	refused := u.refuse(ctx, failed != nil)
	if refused == nil {
		if failed != nil && u.wasMade(ctx, before) {
			failed = fmt.Errorf(made+"%w", failed)
		}
		return errors.Join(failed, record.DropInitramfs(layout, kernel))
	}
	if err := u.putBack(ctx); err != nil {
		return errors.Join(refused, err)
	}
	if failed != nil {
		return failed
	}
	return fmt.Errorf("%w, so the one before is back; to leave the module out, run: %s; to have it in, first %s", refused, initramfsCommand(u.run.inv, layout, kernel), howToAdd())
}

// written returns when the initramfs was written, and its size. Its ctime is no proof:
// update-initramfs(8) links a backup to the present one before it makes another.
func (u *initramfsUpdate) written() string {
	info, err := os.Stat(u.run.machine.Layout.InitramfsPath(u.run.inv.Kernel))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.ModTime().UnixNano(), info.Size())
}

// wasMade reports whether the initramfs was written since before, and is complete. update-initramfs(8)
// puts one into place when it is complete, and dracut(8) writes into it.
func (u *initramfsUpdate) wasMade(ctx context.Context, before string) bool {
	_, err := u.read(ctx, u.run.machine.Layout.InitramfsPath(u.run.inv.Kernel))
	return err == nil && u.written() != before
}

// refuse returns why the initramfs that is there now is worse than the one before, nil if it is not.
// It is if it lacks a module that the one before contained, unless that may be the choice of the
// machine's owner. broken reports whether the program that made it failed. dracut(8) removes or
// truncates the file then.
func (u *initramfsUpdate) refuse(ctx context.Context, broken bool) error {
	layout, kernel := u.run.machine.Layout, u.run.inv.Kernel
	now, err := u.read(ctx, layout.InitramfsPath(kernel))
	switch {
	case err != nil && broken && (u.known || !dkmsstate.Exists(layout.InitramfsPath(kernel))):
		return err
	case err != nil || !u.known:
		return nil
	}
	present := u.in(now, anywhere)
	lost := slices.DeleteFunc(u.in(u.before, anywhere), func(name string) bool {
		return slices.Contains(present, name) || !u.exists(name) || !u.belongs(name)
	})
	if len(lost) == 0 {
		return nil
	}
	return errors.New(lacks + strings.Join(lost, ", ") + ", which the one before contained")
}

// belongs reports whether an initramfs of the kernel is to contain a module, by its name as lsmod(8)
// prints it: it is listed for each, or it took the place of one of the kernel's own.
func (u *initramfsUpdate) belongs(name string) bool {
	layout, kernel := u.run.machine.Layout, u.run.inv.Kernel
	if len(dkms.BootModules(layout, []string{name})) > 0 {
		return true
	}
	replaced := slices.Concat(u.in(u.before, ofKernel), layout.HeldNames(kernel))
	for _, o := range u.run.after.Originals() {
		replaced = append(replaced, modprobe.ModuleName(o.Place))
	}
	return slices.Contains(replaced, name) && dkms.InitramfsByDirectory(layout)
}

// exists reports whether the kernel has a module, by its name as lsmod(8) prints it.
func (u *initramfsUpdate) exists(name string) bool {
	for path := range dkmsstate.NewModulesDep(u.run.machine.Layout.KernelDir(u.run.inv.Kernel)).Paths {
		if modprobe.ModuleName(path) == name {
			return true
		}
	}
	return false
}

// putBack puts back the initramfs from before. Boot loaders are told, as by the program that made
// the new one.
func (u *initramfsUpdate) putBack(ctx context.Context) error {
	layout, kernel := u.run.machine.Layout, u.run.inv.Kernel
	if err := record.PutBackInitramfs(layout, kernel); err != nil {
		return err
	}
	u.run.remember("", "restored", "the initramfs from before")
	if err := dkms.Explain(u.engine.AfterInitramfs(ctx, kernel, u.log)); err != nil {
		return err
	}
	return record.DropInitramfs(layout, kernel)
}

// recover finishes the update of a run that was interrupted. Its initramfs may be incomplete, or
// lack a module.
func (u *initramfsUpdate) recover(ctx context.Context) error {
	layout, kernel := u.run.machine.Layout, u.run.inv.Kernel
	if !layout.KeptInitramfs(kernel) || u.run.imageFollows() {
		return record.DropInitramfs(layout, kernel)
	}
	var err error
	u.before, err = u.read(ctx, layout.KeptInitramfsPath(kernel))
	u.known = err == nil
	if refused := u.refuse(ctx, true); refused != nil {
		u.run.report.infof("putting back the initramfs of %s from before: a run that replaced it was interrupted, and %v", kernel, refused)
		return u.putBack(ctx)
	}
	return record.DropInitramfs(layout, kernel)
}

// howToAdd describes how a person adds a module to each initramfs.
func howToAdd() string {
	if dkmsstate.Exists("/etc/initramfs-tools") {
		return "add its name to /etc/initramfs-tools/modules"
	}
	return "add its name to add_drivers in /etc/dracut.conf.d"
}
