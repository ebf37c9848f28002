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
func (m Machine) install(ctx context.Context, tree Tree, t Task, log *keptLog) error {
	s, err := ReadSnapshot(m.Layout, tree.Kernel, t.Arch)
	if err != nil {
		return err
	}
	b, _ := s.Build(t.Module, t.Arch)
	link, linked := s.Link(t.Module.Name, t.Arch)
	replaced, _ := s.Build(Module{t.Module.Name, link.Version}, t.Arch)
	r, _ := s.Registration(t.Module)
	switch {
	case !linked && b.anyCopy():
		// Where a file stands and no link says whose it is, dkms 3.1.7 and later
		// would archive it as one of the kernel's own.
		return tree.Restore(t.Module, t.Arch)
	case s.plain(r) && !b.inKernel() && !b.Original && !replaced.Original:
		return tree.install(t.Module, t.Arch, replaced)
	}
	if err := room(m.Layout.kernelDir(tree.Kernel), s.Layout.builtFiles(tree.Kernel, b)); err != nil {
		return err
	}
	before := b
	err = m.Engine.Install(ctx, t.Module, tree.Kernel, t.Arch, log)
	if err == nil {
		return nil
	}
	// dkms may have left a part of a file, which the kernel would find
	var parts []string
	for i, f := range tree.build(t.Module, t.Arch).Files {
		if f.Copy == CopyDiffers && i < len(before.Files) && before.Files[i].Copy == CopyMissing {
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
func (b Build) inKernel() bool {
	for _, f := range b.Files {
		if f.InKernel {
			return true
		}
	}
	return false
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
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Errorf("cannot install: %d kB are needed in %s, and %d are free: %w", need>>10, filepath.Clean(dir), free>>10, unix.ENOSPC)
	}
	return nil
}
