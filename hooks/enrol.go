package hooks

import (
	"os"
	"os/exec"

	"dkms-hooks/dkmsstate"
)

// enrolCommand returns the command that requests the enrolment. dkms requests it only on Ubuntu,
// through update-secureboot-policy, and only when it creates the key. Under a hook nobody can answer
// that request.
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
