package hooks

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

// enrolText returns a warning that Secure Boot may refuse modules, since the key that dkms
// signs them with is not enrolled; "" if there is nothing to warn about. dkms requests the
// enrolment only on Ubuntu, through update-secureboot-policy, and only when it creates the key.
// Under a hook nobody can answer that request.
//
// The warning is about the booted system only: in a chroot or a container, the keys of the
// firmware concern another system.
func enrolText(ctx context.Context, inv Invocation, layout dkmsstate.Layout, firmware signing.Firmware, record dkmsstate.Record) string {
	if !booted(layout) {
		return ""
	}
	path, certificate := signing.Unenrolled(layout, firmware)
	if path == "" {
		return ""
	}
	for _, kernel := range bootable(inv, layout) {
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

// enrolCommand returns the command that requests the enrolment.
func enrolCommand(certificate string) string {
	const policy = "update-secureboot-policy"
	if certificate == "/var/lib/shim-signed/mok/MOK.der" {
		if _, err := exec.LookPath("/usr/sbin/" + policy); err == nil {
			return policy + " --enroll-key"
		}
	}
	return "mokutil --import " + certificate
}

// booted reports whether the layout is that of the booted system: the first process has the
// same root directory, and the running kernel is installed in it.
func booted(layout dkmsstate.Layout) bool {
	own, err := os.Stat("/")
	if err != nil || layout.Root != "/" {
		return false
	}
	first, err := os.Stat("/proc/1/root/")
	return err == nil && os.SameFile(own, first) && layout.KernelThere(layout.Running)
}
