package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stubs are the programs that the postinst runs, for a root in which nothing is installed.
// dpkg-divert diverts nothing while $REFUSE exists.
func stubs() map[string]string {
	return map[string]string{
		"dpkg-query": "exit 1",
		"dkms-hooks": "exit 0",
		"dpkg-divert": `case "$*" in *--listpackage*) for path; do :; done; [ ! -e "$DPKG_ROOT$path.stock" ] || echo dkms-hooks; exit 0 ;; esac
[ ! -e "$REFUSE" ] || exit 2
for path; do :; done
[ ! -e "$DPKG_ROOT$path" ] || mv "$DPKG_ROOT$path" "$DPKG_ROOT$path.stock"`,
	}
}

// A hook is not noted as linked until it is. A link in a directory that is a link to one at another
// depth is absolute, and right inside the root.
func TestPostinstLinks(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	for name, script := range stubs() {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	hooks := filepath.Join(root, "usr/libexec/dkms-hooks")
	require.NoError(t, os.MkdirAll(hooks, 0o755))
	for _, hook := range []string{"prerm", "postrm"} {
		require.NoError(t, os.WriteFile(filepath.Join(hooks, hook), nil, 0o755))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/kernel"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "srv/a/b/c/prerm.d"), 0o755))
	require.NoError(t, os.Symlink("../../srv/a/b/c/prerm.d", filepath.Join(root, "etc/kernel/prerm.d")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/kernel/postrm.d"), nil, 0o644)) // no directory
	configure := func() string {
		cmd := exec.Command("sh", "../../debian/dkms-hooks.postinst", "configure", "")
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DPKG_ROOT=" + root}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	assert.Contains(t, configure(), "warning: cannot make /etc/kernel/postrm.d/dkms")
	target, err := os.Readlink(filepath.Join(root, "etc/kernel/prerm.d/dkms"))
	require.NoError(t, err)
	assert.Equal(t, "/usr/libexec/dkms-hooks/prerm", target)
	require.NoError(t, os.Remove(filepath.Join(root, "etc/kernel/postrm.d")))
	assert.NotContains(t, configure(), "warning")
	target, err = os.Readlink(filepath.Join(root, "etc/kernel/postrm.d/dkms"))
	require.NoError(t, err)
	assert.Equal(t, "../../../usr/libexec/dkms-hooks/postrm", target)
}

// What could not be diverted is diverted by the next configuration, which also makes the link.
func TestPostinstDivertsWhatItCouldNot(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	for name, script := range stubs() {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	program := filepath.Join(root, "usr/libexec/dkms-hooks/prerm")
	require.NoError(t, os.MkdirAll(filepath.Dir(program), 0o755))
	require.NoError(t, os.WriteFile(program, nil, 0o755))
	hook, refuse := filepath.Join(root, "etc/kernel/prerm.d/dkms"), filepath.Join(bin, "refuse")
	require.NoError(t, os.MkdirAll(filepath.Dir(hook), 0o755))
	require.NoError(t, os.WriteFile(hook, []byte("dkms"), 0o755))
	require.NoError(t, os.WriteFile(refuse, nil, 0o644))
	configure := func() string {
		cmd := exec.Command("sh", "../../debian/dkms-hooks.postinst", "configure", "")
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DPKG_ROOT=" + root, "REFUSE=" + refuse}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	assert.Contains(t, configure(), "warning: cannot divert /etc/kernel/prerm.d/dkms;")
	assert.FileExists(t, hook)
	require.NoError(t, os.Remove(refuse))
	assert.NotContains(t, configure(), "warning")
	assert.FileExists(t, hook+".stock")
	target, err := os.Readlink(hook)
	require.NoError(t, err)
	assert.Equal(t, "../../../usr/libexec/dkms-hooks/prerm", target)
}
