package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks"
)

// In a root whose name has a blank, each kind of command is quoted.
func TestCommandsAreQuoted(t *testing.T) {
	inv, err := hooks.ParseSurroundings([]string{"DPKG_ROOT=/my root"})
	assert.NoError(t, err)
	for command, want := range map[string]string{
		"dkms-hooks check":          "dkms-hooks --root '/my root' check",
		"dkms-hooks check --repair": "chroot '/my root' dkms-hooks check --repair",
		"dpkg --configure -a":       "dpkg --root='/my root' --configure -a",
		"apt reinstall m-dkms":      "chroot '/my root' apt reinstall m-dkms",
	} {
		assert.Equal(t, want, inv.Command(command))
		for _, root := range []string{"", "/"} {
			inv, err := hooks.ParseSurroundings([]string{fmt.Sprintf("DPKG_ROOT=%s", root)})
			assert.NoError(t, err)
			assert.Equal(t, command, inv.Command(command))
		}
	}
}
