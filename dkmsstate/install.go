package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// install installs a built module. One that has nothing of its own to run and stands
// in nobody's place is put there by the Tree, which leaves what is installed until
// the new file is complete; dkms writes over it. What dkms would do besides is to
// compare versions with a module of the kernel's and to archive that, and to run the
// module's scripts.
func (r *taskRun) install(ctx context.Context) error {
	t, tree := r.task, r.tree
	now := r.machine.Layout.lookAt(tree.Kernel, t.Module.Name)
	b, _ := now.Build(t.Module, t.Arch)
	link, linked := now.Link(t.Module.Name, t.Arch)
	replaced, _ := now.Build(Module{t.Module.Name, link.Version}, t.Arch)
	registration, _ := r.before.Registration(t.Module)
	switch {
	case !linked && b.anyCopy():
		// Where a file stands and no link says whose it is, dkms 3.1.7 and later
		// would archive it as one of the kernel's own.
		return tree.Restore(t.Module, t.Arch)
	case r.before.plain(registration) && !r.before.inKernel(b) && !b.Original && !replaced.Original:
		return tree.install(t.Module, t.Arch, replaced)
	}
	r.installing.Lock()
	defer r.installing.Unlock()
	if err := room(r.machine.Layout.kernelDir(tree.Kernel), r.machine.Layout.builtFiles(tree.Kernel, b)); err != nil {
		return err
	}
	err := r.machine.Engine.Install(ctx, t.Module, tree.Kernel, t.Arch, r.log)
	if err == nil {
		return nil
	}
	// dkms may have left a part of a file, which the kernel would find
	var parts []string
	for i, f := range tree.build(t.Module, t.Arch).Files {
		if f.Copy == CopyDiffers && i < len(b.Files) && b.Files[i].Copy == CopyMissing {
			parts = append(parts, f.Name)
		}
	}
	return errors.Join(err, tree.RemoveStray(parts))
}

// plain says that installing a module is nothing but putting its files in place.
func (s Snapshot) plain(r Registration) bool {
	if r.Broken != nil || r.Conf.InstallSteps || s.Layout.DKMSInstalls {
		return false
	}
	return !slices.ContainsFunc(s.Registrations, func(other Registration) bool {
		link, linked := s.Link(other.Module.Name, s.Arch)
		return other.Conf.RebuiltWith && linked && link.Version == other.Module.Version && slices.Contains(other.Conf.Depends, r.Module.Name)
	})
}

// inKernel says that the kernel brings a module of the same name as one of a build.
func (s Snapshot) inKernel(b Build) bool {
	return slices.ContainsFunc(b.Names(), s.Dep.InKernel)
}

// room notices a disk that is too full before dkms writes to it.
func room(dir string, files []string) error {
	need := int64(1 << 20)
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			need += info.Size()
		}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("cannot tell how much room there is in %s: %w", dir, err)
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < need {
		return fmt.Errorf("cannot install: %d kB are needed in %s, and %d are free: %w", need>>10, filepath.Clean(dir), free>>10, unix.ENOSPC)
	}
	return nil
}
