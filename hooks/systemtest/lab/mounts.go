package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// PrivateMounts starts this program again in a mount namespace of its own, so that nothing
// that it mounts can stay behind. It returns nil in the program that was started so, and
// an error otherwise: without root, or without unshare(1).
func PrivateMounts() error {
	const private = "DKMS_HOOKS_PRIVATE_MOUNTS"
	if os.Geteuid() != 0 {
		return errors.New("this needs root: its roots are chroots")
	}
	if os.Getenv(private) != "" {
		return nil
	}
	unshare, err := exec.LookPath("unshare")
	if err == nil {
		args := append([]string{"unshare", "-m", "--propagation", "private"}, os.Args...)
		err = unix.Exec(unshare, args, append(os.Environ(), private+"=yes"))
	}
	return fmt.Errorf("cannot make a mount namespace: %w", err)
}
