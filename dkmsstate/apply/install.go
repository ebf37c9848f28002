package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// install installs a built module. A module without scripts that does not replace one of the
// kernel or of somebody else is installed by the Tree, which keeps the installed file until the
// new one is complete, while dkms overwrites it. Apart from copying, dkms would compare the
// versions of the module and of one in the kernel, archive the latter, and run the module's
// scripts. dkms 2.8 would also add lines to modprobe.d(5).
func (r *taskRun) install(ctx context.Context) error {
	t, tree := r.task, r.tree
	now := r.machine.Layout.ModuleSnapshot(tree.Kernel, t.Module.Name)
	b, _ := now.Build(t.Module, t.Arch)
	link, linked := now.Link(t.Module.Name, t.Arch)
	replaced, _ := now.Build(dkmsstate.Module{Name: t.Module.Name, Version: link.Version}, t.Arch)
	registration, _ := r.before.Registration(t.Module)
	if reason := r.taken(b); reason != "" {
		return dkms.LeftOut(reason)
	}
	switch {
	case !linked && b.AnyCopy() && !b.Altered():
		// If a file is installed and no link says whose it is, dkms 3.1.7 and later would
		// archive it as one of the kernel's own.
		return tree.install(t.Module, t.Arch, dkmsstate.Build{}, nil)
	case b.Placed() && installsByCopy(r.before, registration) && !inKernel(r.before, b) && !b.Original && !replaced.Original && (linked || !b.Altered()):
		return tree.install(t.Module, t.Arch, replaced, r.before.Foreign(replaced.Module, t.Arch))
	}
	r.installing.Lock()
	defer r.installing.Unlock()
	if err := room(r.machine.Layout.KernelDir(tree.Kernel), r.machine.Layout.BuiltFiles(tree.Kernel, b)); err != nil {
		return err
	}
	err := r.machine.Engine.Install(ctx, t.Module, tree.Kernel, t.Arch, r.log)
	if err == nil {
		return nil
	}
	// dkms may have left a partial file, which the kernel would find
	var parts []string
	for i, f := range tree.build(t.Module, t.Arch).Files {
		if f.Copy == kmod.CopyDamaged && i < len(b.Files) && b.Files[i].Copy == kmod.CopyMissing {
			parts = append(parts, f.Path())
		}
	}
	return errors.Join(err, tree.RemoveInstalled(parts))
}

// taken returns which other module has installed a file of a build, before this run or since,
// or "" if none has.
func (r *taskRun) taken(b dkmsstate.Build) string {
	if reason := r.before.Taken(b); reason != "" || !b.AnyCopy() {
		return reason
	}
	now, err := r.before.Again(dkmsstate.KernelRecord{})
	if err != nil {
		return ""
	}
	return now.Taken(b)
}

// installsByCopy reports whether installing a module only means copying its files.
func installsByCopy(s dkmsstate.Snapshot, r dkmsstate.Registration) bool {
	if r.Broken != nil || r.Conf.InstallSteps || s.Layout.DKMSInstalls || s.Layout.WritesModprobeConf && r.Conf.ModprobeConf {
		return false
	}
	return !slices.ContainsFunc(s.Registrations, func(other dkmsstate.Registration) bool {
		link, linked := s.Link(other.Module.Name, s.Arch)
		return other.Conf.RebuiltWith && linked && link.Version == other.Module.Version &&
			(other.Conf.NeedsUnknown() || slices.Contains(other.Conf.Depends, r.Module.Name))
	})
}

// inKernel reports whether the kernel itself has a module of the same name as one of a build.
func inKernel(s dkmsstate.Snapshot, b dkmsstate.Build) bool {
	return slices.ContainsFunc(b.Files, s.InKernel)
}

// room returns an error if a disk is too full for dkms to install files in dir.
func room(dir string, files []string) error {
	need := int64(1 << 20)
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			need += info.Size()
		}
	}
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	if nofollow.IsRefused(err) || err == nil && fs.Blocks == 0 {
		return nil // a filesystem that does not know its size, as some of FUSE
	}
	if err != nil {
		return fmt.Errorf("cannot determine the free space in %s: %w", dir, err)
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < need {
		return fmt.Errorf("cannot install: %d kB are needed in %s, but only %d kB are free: %w", need>>10, filepath.Clean(dir), free>>10, unix.ENOSPC)
	}
	return nil
}
