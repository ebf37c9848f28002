package hooks

import (
	"fmt"
	"os/exec"
)

// enrolAdvice returns how the machine comes to know a certificate. The system of another root is started
// on a machine that may not be this one.
func enrolAdvice(inv Invocation, certificate string) string {
	if inv.elsewhere() {
		return fmt.Sprintf("enrol %s on the machine that starts this system", certificate)
	}
	return enrolCommand(certificate) + ", then reboot and confirm it"
}

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
