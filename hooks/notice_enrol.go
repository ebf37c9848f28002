package hooks

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

// enrolText returns a warning that a bootable kernel does not load a module, since the key that
// dkms signs with is not enrolled; "" if there is nothing to warn about. dkms requests the
// enrolment only on Ubuntu, through update-secureboot-policy, and only when it creates the key.
// Under a hook nobody can answer that request.
func enrolText(ctx context.Context, inv Invocation, layout dkmsstate.Layout, record dkmsstate.Record) string {
	machine := signing.NewMachine(layout, host(layout))
	for _, kernel := range bootable(inv, layout) {
		k := machine.Kernel(ctx, kernel, "")
		if !k.MayRefuse() {
			continue
		}
		s, err := dkmsstate.ReadSnapshot(layout, kernel, machineArch(), record.Kernel(kernel))
		if err != nil {
			continue
		}
		for _, b := range s.Builds {
			if link, ok := s.Link(b.Module.Name, b.Arch); !ok || link.Version != b.Module.Version {
				continue
			}
			for _, f := range b.Files {
				a := k.Judge(ctx, layout.InstalledFile(kernel, f), dkmsstate.SignatureRecord{})
				if a.Cause == signing.NotEnrolled && a.ByDKMS {
					_, certificate := signing.Key(layout)
					return fmt.Sprintf("dkms-hooks: Secure Boot is on, and the key that signed %s for %s is not enrolled\n"+
						"dkms-hooks:   to enroll it: %s, then reboot and confirm it\n", b.Module, kernel, enrolCommand(certificate))
				}
			}
		}
	}
	return ""
}

// host returns what the running system shows of its firmware and its keys. In a chroot or a
// container, these concern another system.
func host(layout dkmsstate.Layout) signing.Host {
	if booted(layout) {
		return signing.System()
	}
	return signing.Host{}
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
