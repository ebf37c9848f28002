package dkmsstate

import (
	"context"
	"errors"
	"fmt"
)

// build lets dkms build a module and looks at what came of it. A build that is not
// one, or does not fit the kernel, is removed again; dkms's exit status alone is not
// believed. sign says that it has to be signed.
func (m Machine) build(ctx context.Context, kernel Release, t Task, sign bool, log *keptLog) error {
	err := m.Engine.Build(ctx, t.Module, kernel, t.Arch, log)
	log.add(m.Layout.findLog(t.Module, kernel, t.Arch))
	if err != nil {
		return err
	}
	s, err := ReadSnapshot(m.Layout, kernel, t.Arch)
	if err != nil {
		return err
	}
	if err = s.verifyBuild(ctx, t, sign); err == nil {
		return nil
	}
	version, openErr := (Tree{Layout: m.Layout, Kernel: kernel}).openVersion(t.Module)
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
func (s *Snapshot) verifyBuild(ctx context.Context, t Task, sign bool) error {
	b, _ := s.Build(t.Module, t.Arch)
	if !b.Complete() {
		return errors.New("dkms reported success, and there is no build")
	}
	x := s.examine(ctx)
	for _, file := range s.Layout.builtFiles(s.Kernel, b) {
		ko, err := readKo(ctx, file)
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
