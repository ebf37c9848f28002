package dkmsstate

import (
	"context"
	"errors"
	"fmt"
)

// build lets dkms build a module and looks at what came of it. A build that is not
// one, or does not fit the kernel, is removed again; dkms's exit status alone is not
// believed. sign says that it has to be signed.
func (r *taskRun) build(ctx context.Context, sign bool) error {
	t, layout, kernel := r.task, r.machine.Layout, r.tree.Kernel
	err := r.machine.Engine.Build(ctx, t.Module, kernel, t.Arch, r.jobs, r.log)
	r.log.add(layout.findLog(t.Module, kernel, t.Arch))
	if err != nil {
		return err
	}
	if err = r.x.verifyBuild(r.tree.build(t.Module, t.Arch), sign); err == nil {
		return nil
	}
	version, openErr := r.tree.openVersion(t.Module)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	defer version.Close()
	dir, openErr := openSub(version, string(kernel))
	if openErr != nil {
		return err // there is nothing to remove
	}
	defer dir.Close()
	return errors.Join(err, removeAll(dir, t.Arch))
}

// verifyBuild says what is wrong with a build that was just made, nil for nothing.
func (x examination) verifyBuild(b Build, sign bool) error {
	if !b.Complete() {
		return errors.New("dkms reported success, and there is no build")
	}
	for _, file := range x.s.Layout.builtFiles(x.s.Kernel, b) {
		ko, err := readKo(x.ctx, file)
		if err != nil {
			return fmt.Errorf("dkms reported success, and what it built cannot be used: %w", err)
		}
		if sign && !ko.Signed {
			return errors.New("dkms reported success, and what it built is not signed as the build before it was")
		}
		reason := x.magicDiffers(ko)
		if symbol := differs(ko.Uses, x.symvers()); reason == "" && symbol != "" {
			reason = fmt.Sprintf("symbol %s differs", symbol)
		}
		if reason != "" {
			return fmt.Errorf("dkms reported success, and what it built does not fit the kernel: %s", reason)
		}
	}
	return nil
}

// Verify looks whether a module that a task brought in is really there: dkms's
// exit status alone is not believed. It returns what is wrong, nil for nothing.
func Verify(after Snapshot, t Task) error {
	if !t.Installs() {
		return nil
	}
	link, _ := after.Link(t.Module.Name, t.Arch)
	b, _ := after.Build(t.Module, t.Arch)
	switch {
	case !b.Complete():
		return errors.New("dkms reported success, and there is no build")
	case link.Version != t.Module.Version:
		return errors.New("dkms reported success, and it is not installed")
	case b.wrong() != "":
		return fmt.Errorf("dkms reported success, and %s", b.wrong())
	}
	return nil
}
