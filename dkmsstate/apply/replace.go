package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// replace rebuilds a module for the kernel. The new build takes the place of the old one only
// when it is known to fit, and is installed if the old one was and still is. If anything fails
// before that, everything is as it was.
func (r *taskRun) replace(ctx context.Context) error {
	t, tree := r.task, r.tree
	before := r.machine.Layout.ModuleSnapshot(tree.Kernel, t.Module.Name)
	old, _ := before.Build(t.Module, t.Arch)
	if err := tree.keepPrevious(t.Module); err != nil {
		return err
	}
	signed := r.signed(ctx, old)
	err := r.build(ctx)
	// dkms 3.0 counts a module as installed for which it left the kernel's own in place
	leftToKernel := !old.AnyCopy() && inKernel(r.before, old)
	chosen := r.chosen()
	if link, linked := before.Link(t.Module.Name, t.Arch); err == nil && chosen == nil && linked && link.Version == t.Module.Version && !leftToKernel {
		err = tree.install(t.Module, t.Arch, old, r.before.Foreign(t.Module, t.Arch))
	}
	if err != nil {
		return errors.Join(err, tree.rollBackModule(t.Module, t.Arch))
	}
	if signed && !r.signedNow(ctx) {
		r.note("it is not signed, but the previous build was")
	}
	return cmp.Or(tree.dropPrevious(t.Module), chosen)
}

// signedNow reports whether the modules of the present build are signed.
func (r *taskRun) signedNow(ctx context.Context) bool {
	b := r.tree.build(r.task.Module, r.task.Arch)
	return anySigned(ctx, r.machine.Layout, r.machine.Layout.BuiltFiles(r.tree.Kernel, b))
}

// anySigned reports whether any of the files is a signed module.
func anySigned(ctx context.Context, l dkmsstate.Layout, files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		ko, err := l.Reader.Read(ctx, file)
		return err == nil && ko.Signed
	})
}

// signed reports whether the modules of the previous build are signed, or those that are
// installed: the owner may have signed these.
func (r *taskRun) signed(ctx context.Context, b dkmsstate.Build) bool {
	var files []string
	for _, file := range r.machine.Layout.BuiltFiles(r.tree.Kernel, b) {
		files = append(files, previousPath(r.tree.Kernel, file))
	}
	for _, f := range b.Files {
		files = append(files, r.machine.Layout.InstalledFile(r.tree.Kernel, f))
	}
	return anySigned(ctx, r.machine.Layout, files)
}

// previousPath returns the path of a build's file after the build was renamed to its
// PreviousName.
func previousPath(kernel dkmsstate.Release, file string) string {
	arch := filepath.Dir(filepath.Dir(file))
	version := filepath.Dir(filepath.Dir(arch))
	return filepath.Join(version, dkmsstate.PreviousName(kernel), filepath.Base(arch), "module", filepath.Base(file))
}

// openVersion opens MODULE/VERSION of the DKMS tree.
func (t Tree) openVersion(m dkmsstate.Module) (*nofollow.Dir, error) {
	return t.openTree(m.Name, m.Version)
}

// keepPrevious renames a build to its PreviousName.
func (t Tree) keepPrevious(m dkmsstate.Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return err
	}
	defer version.Close()
	if err := version.MoveTree(string(t.Kernel), dkmsstate.PreviousName(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot set aside the previous build: %w", err)
	}
	return nil
}

// dropPrevious removes the previous build, since the new one is in place. It is renamed first,
// so that RollBack does not restore it.
func (t Tree) dropPrevious(m dkmsstate.Module) error {
	version, err := t.openVersion(m)
	if err != nil {
		return err
	}
	defer version.Close()
	if err := version.RemoveTree(dkmsstate.PreviousName(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove the build that was replaced: %w", err)
	}
	return nil
}

// RollBack restores every previous build of the kernel that an interrupted run left behind, and
// the files that were installed of it. It returns the number of these builds.
func (t Tree) RollBack() (int, error) {
	found := t.Layout.VersionsWith(dkmsstate.PreviousName(t.Kernel))
	var errs []error
	for _, m := range found {
		arches := dkmsstate.DirNames(filepath.Join(t.Layout.VersionDir(m), dkmsstate.PreviousName(t.Kernel)))
		if len(arches) == 0 {
			arches = []string{""}
		}
		for _, arch := range arches {
			errs = append(errs, t.rollBackModule(m, arch))
		}
	}
	return len(found), errors.Join(errs...)
}

// rollBackModule restores the previous build of one module.
func (t Tree) rollBackModule(m dkmsstate.Module, arch string) error {
	version, err := t.openVersion(m)
	if err != nil {
		return err
	}
	defer version.Close()
	if _, err := version.Lstat(dkmsstate.PreviousName(t.Kernel)); nofollow.IsNotExist(err) {
		return nil // it was restored together with another architecture
	}
	if !version.IsComplete(dkmsstate.PreviousName(t.Kernel)) {
		return t.dropPrevious(m) // it was not renamed completely, or is not wanted any more
	}
	replaced := t.build(m, arch)
	if err := version.MoveTree(dkmsstate.PreviousName(t.Kernel), string(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot restore the previous build of %s: %w", m, err)
	}
	link, linkErr := os.Readlink(filepath.Join(t.Layout.ModuleDir(m.Name), dkmsstate.LinkName(t.Kernel, arch)))
	if linkErr != nil || dkmsstate.NewLink(m.Name, arch, link, t.Kernel).Version != m.Version {
		return nil
	}
	// Only the files that were installed of the new build are replaced: the owner may have
	// signed the old ones.
	err = t.put(m, arch, func(f dkmsstate.File) bool {
		return f.Copy == kmod.CopyMissing || f.Copy == kmod.CopyDamaged || replaced.InstalledAsBuilt(f.Name)
	})
	if err != nil {
		return err
	}
	b := t.build(m, arch)
	var gone []string
	for _, f := range replaced.Files {
		if f.Copy == kmod.CopySame && !b.Has(f.Installed) {
			gone = append(gone, f.Path())
		}
	}
	return t.RemoveInstalled(gone)
}

// install installs the files of a build and makes the kernel link name the build. It removes
// the installed files of the replaced build that the new one does not have. The files named in
// others were installed by other modules and stay.
func (t Tree) install(m dkmsstate.Module, arch string, replaced dkmsstate.Build, others []string) error {
	err := t.put(m, arch, func(f dkmsstate.File) bool {
		return f.Copy != kmod.CopySame && !slices.Contains(others, kmod.TrimSuffix(f.Name))
	})
	if err != nil {
		return err
	}
	b := t.build(m, arch)
	var gone []string
	for _, f := range replaced.Files {
		if !b.Has(f.Installed) && f.Copy != dkmsstate.CopyForeign && !slices.Contains(others, kmod.TrimSuffix(f.Name)) {
			gone = append(gone, f.Path())
		}
	}
	return t.RemoveInstalled(gone)
}

// build reads a build of the kernel.
func (t Tree) build(m dkmsstate.Module, arch string) dkmsstate.Build {
	s := t.Layout.EmptySnapshot(t.Kernel)
	return s.ReadBuild(m, arch, dkmsstate.KernelRecord{})
}
