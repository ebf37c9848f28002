package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// machines returns the roots of machines in which an exit status differs, by name.
func machines(t *testing.T) map[string]string {
	t.Helper()
	write := func(root, name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	of := map[string]string{}
	for _, name := range []string{"well", "wrong", "unreadable", "mistake"} {
		root := t.TempDir()
		of[name] = root
		write(root, "lib/modules/6.1.0/kernel/own.ko", "own")
		write(root, "boot/vmlinuz-6.1.0", "image")
		write(root, "var/lib/dpkg/status", "Package: linux-image-6.1.0\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n")
		write(root, "var/lib/dpkg/info/linux-image-6.1.0.list", "/boot/vmlinuz-6.1.0\n")
		write(root, "var/lib/dkms-hooks/lock", "")
	}
	write(of["wrong"], "usr/src/m-1.0/dkms.conf", "PACKAGE_NAME=m\nAUTOINSTALL=yes\n")
	require.NoError(t, os.MkdirAll(filepath.Join(of["wrong"], "var/lib/dkms/m/1.0"), 0o755))
	require.NoError(t, os.Symlink("/usr/src/m-1.0", filepath.Join(of["wrong"], "var/lib/dkms/m/1.0/source")))
	write(of["unreadable"], "var/lib/dkms", "a file")
	write(of["unreadable"], "var/lib/dkms-hooks/history/x", "a directory")
	write(of["mistake"], "etc/dkms-hooks.conf", "Timout: 2h\n")
	return of
}

// The exit status of each command in each machine: 0 all is well, 1 something is wrong, 2 usage,
// 3 it cannot be determined or done. dkms-hooks(8) has the same table.
func TestExitStatuses(t *testing.T) {
	of := machines(t)
	file := filepath.Join(of["mistake"], "etc/dkms-hooks.conf")
	const maintainer = "DPKG_MAINTSCRIPT_NAME=postinst"
	page := readPage(t, "man/dkms-hooks.8")
	for _, c := range []struct {
		command string
		environ string
		want    map[string]int
	}{
		{"status", "", map[string]int{"well": 0, "wrong": 1, "unreadable": 3, "mistake": 1}},
		{"status 6.1.0", "", map[string]int{"well": 0, "wrong": 1, "unreadable": 3, "mistake": 1}},
		{"status --boot", "", map[string]int{"well": 0, "wrong": 1, "unreadable": 3, "mistake": 1}},
		{"status --json", "", map[string]int{"well": 0, "wrong": 1, "unreadable": 3, "mistake": 1}},
		{"status 9.9.9", "", map[string]int{"well": 3, "wrong": 3, "unreadable": 3}},
		{"status x", "", map[string]int{"well": 2, "wrong": 2}},
		{"status --boot 6.1.0", "", map[string]int{"well": 2}},
		{"check", "", map[string]int{"well": 0, "wrong": 1, "unreadable": 3, "mistake": 1}},
		{"check --repair", "", map[string]int{"well": 0, "wrong": 1, "mistake": 1}},
		{"run postinst 6.1.0", "", map[string]int{"well": 0, "wrong": 1}},
		{"run postinst 9.9.9", "", map[string]int{"well": 3, "wrong": 3}},
		{"run postinst 6.1.0", maintainer, map[string]int{"well": 0, "wrong": 0, "unreadable": 0, "mistake": 0}},
		{"run postinst 9.9.9", maintainer, map[string]int{"well": 0, "wrong": 0}},
		{"run postinst", "", map[string]int{"well": 2}},
		{"run frob 6.1.0", "", map[string]int{"well": 2}},
		{"reconcile", "", map[string]int{"well": 0, "mistake": 0}},
		{"reconcile", maintainer, map[string]int{"well": 0, "wrong": 0, "unreadable": 0}},
		{"explain postinst 6.1.0", "", map[string]int{"well": 0, "wrong": 0, "unreadable": 3}},
		{"explain prerm 9.9.9", "", map[string]int{"well": 3, "wrong": 3, "unreadable": 3}},
		{"explain prerm 9.9.9", "DPKG_MAINTSCRIPT_NAME=prerm", map[string]int{"well": 0}},
		{"explain prerm 9.9.9 --package p", "", map[string]int{"well": 0}},
		{"explain 6.1.0 m", "", map[string]int{"well": 3, "wrong": 0, "unreadable": 3}},
		{"explain 9.9.9 m", "", map[string]int{"wrong": 3}},
		{"log", "", map[string]int{"well": 0}},
		{"log nothing", "", map[string]int{"well": 3}},
		{"history", "", map[string]int{"well": 0, "wrong": 0, "unreadable": 3}},
		{"config", "", map[string]int{"well": 0, "mistake": 1}},
		{"config --check " + file, "", map[string]int{"well": 1}},
		{"config --check /nonexistent", "", map[string]int{"well": 3}},
		{"remind", "", map[string]int{"well": 0, "wrong": 0, "unreadable": 0, "mistake": 0}},
		{"originals 6.1.0", "", map[string]int{"well": 0, "wrong": 0}},
		{"originals", "", map[string]int{"well": 2}},
		{"version", "", map[string]int{"well": 0}},
		{"version 1", "", map[string]int{"well": 2}},
		{"frob", "", map[string]int{"well": 2}},
	} {
		words := strings.Fields(c.command)
		if words[0] != "version" && words[0] != "frob" {
			assert.Contains(t, page, "\n.It "+words[0]+" Ta ", "the table of the page has the command")
		}
		for machine, want := range c.want {
			root := of[machine]
			if words[0] == "run" || words[0] == "reconcile" || words[0] == "check" || words[0] == "remind" {
				root = machines(t)[machine] // what it changes does not concern the others
			}
			var out, errors bytes.Buffer
			got := runApp(append([]string{"dkms-hooks"}, words...), []string{"DPKG_ROOT=" + root, c.environ}, &out, &errors)
			assert.Equal(t, want, got, "%s (%s) in %s\n%s%s", c.command, c.environ, machine, out.String(), errors.String())
			if want > 0 {
				assert.NotEmpty(t, out.String()+errors.String(), "%s in %s exits with %d and prints nothing", c.command, machine, want)
			}
		}
	}
}
