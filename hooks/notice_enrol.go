package hooks

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

// enrolText reports that Secure Boot may refuse modules, since the key that dkms signs
// them with is not enrolled. dkms asks for it only on Ubuntu, by update-secureboot-policy,
// and only when it makes the key; that question has nobody to answer it under a hook.
//
// It is said of the system that was booted alone: in a chroot or a container what the
// firmware knows is another system's business.
func enrolText(ctx context.Context, layout dkmsstate.Layout, firmware signing.Firmware, record dkmsstate.Record) string {
	if !booted(layout) {
		return ""
	}
	path, certificate := signing.Unenrolled(layout, firmware)
	if path == "" {
		return ""
	}
	for _, kernel := range bootable(layout) {
		s, err := dkmsstate.ReadSnapshot(layout, kernel, machineArch(), record.Kernel(kernel))
		if err != nil {
			continue
		}
		if module := signing.SignedBy(ctx, s, certificate); module != "" {
			return fmt.Sprintf("dkms-hooks: Secure Boot is on, and the key that signed %s for %s is not enrolled\n"+
				"dkms-hooks:   to enroll it: %s, then reboot and confirm it\n", module, kernel, enrolCommand(path))
		}
	}
	return ""
}

// enrolCommand is the command that asks for the enrolment.
func enrolCommand(certificate string) string {
	const policy = "update-secureboot-policy"
	if certificate == "/var/lib/shim-signed/mok/MOK.der" {
		if _, err := exec.LookPath("/usr/sbin/" + policy); err == nil {
			return policy + " --enroll-key"
		}
	}
	return "mokutil --import " + certificate
}

// booted reports whether the layout is that of the system that was booted: the first
// process has the same root directory, and the running kernel is one of its own.
func booted(layout dkmsstate.Layout) bool {
	own, err := os.Stat("/")
	if err != nil || layout.Root != "/" {
		return false
	}
	first, err := os.Stat("/proc/1/root/")
	return err == nil && os.SameFile(own, first) && layout.KernelThere(layout.Running)
}
