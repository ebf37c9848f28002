package fresh

import (
	"errors"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// VerifyBuild checks a build that was just made. err is what is wrong with it. odd is what is
// only unusual about it, "" for nothing.
func (x Examination) VerifyBuild(b dkmsstate.Build) (odd string, err error) {
	if !b.Complete() {
		return "", errors.New("dkms reported success, but there is no build")
	}
	var modules []kmod.Module
	for _, file := range x.s.Layout.BuiltFiles(x.s.Kernel, b) {
		ko, err := x.s.Layout.Reader.Read(x.ctx, file)
		if errors.Is(err, kmod.ErrUnread) {
			return err.Error(), nil
		}
		if err != nil {
			return "", fmt.Errorf("dkms reported success, but what it built cannot be used: %w", err)
		}
		if reason := x.vermagicMismatch(ko); reason != "" {
			return "", fmt.Errorf("dkms reported success, but what it built does not fit the kernel: %s", reason)
		}
		modules = append(modules, ko)
	}
	if len(x.Symvers()) == 0 {
		return "", nil
	}
	switch m := x.misfit(b, modules); {
	case m == nil:
		return "", nil
	case m.vmlinux:
		return "", fmt.Errorf("dkms reported success, but what it built does not fit the kernel: %s", m.reason)
	default:
		return m.reason + ", so it may not load", nil
	}
}
