package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The script of a hook runs the program, however it is called, and passes which hook it is.
func TestHookRunsTheProgram(t *testing.T) {
	const program = "usr/libexec/dkms-hooks/dkms-hooks"
	if _, err := os.Stat("/" + program); err == nil {
		t.Skip("dkms-hooks is installed")
	}
	template, err := os.ReadFile("../../debian/hook")
	require.NoError(t, err)
	d := newTree(t)
	root, write := d.root, d.write
	script := strings.ReplaceAll(string(template), "@HOOK@", "prerm")
	write("usr/libexec/dkms-hooks/prerm", script)
	write("etc/kernel/prerm.d/copy", script)
	d.link("../../../usr/libexec/dkms-hooks/prerm", "etc/kernel/prerm.d/dkms")
	call := func(path string) string {
		cmd := exec.Command(path, "6.1.0", "a b")
		cmd.Args[0] = "any"
		cmd.Dir, cmd.Env = filepath.Join(root, "etc"), []string{"DPKG_ROOT=" + root}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	calls := []string{filepath.Join(root, "etc/kernel/prerm.d/dkms"), "./kernel/prerm.d/dkms", "./kernel/prerm.d/copy", filepath.Join(root, "usr/libexec/dkms-hooks/prerm")}
	for _, path := range calls {
		assert.Empty(t, call(path), "%s: dkms-hooks was removed", path)
	}
	write(program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
	for _, path := range calls {
		assert.Equal(t, "hook\nprerm\n6.1.0\na b\n", call(path), path)
	}
	write("var/lib/dkms-hooks/links", "linked prerm\noff postrm\n")
	assert.NotEmpty(t, call(calls[0]), "another hook is off")
	write("var/lib/dkms-hooks/links", "off prerm\nlinked prerm\n")
	assert.Empty(t, call(calls[0]), "it is off until the upgrade is complete")
}
