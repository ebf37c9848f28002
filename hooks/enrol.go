package hooks

import "os/exec"

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
