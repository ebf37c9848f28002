package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Lab is where the roots of a run stand.
type Lab struct {
	// Settings has in Deb and Roots what is used, given or not.
	Settings
	// Top is the checkout, Scratch a tmpfs that goes with the mount namespace whatever
	// happens.
	Top, Scratch string
}

// New makes the directories of a lab.
func New(t T, settings Settings) Lab {
	t.Helper()
	l := Lab{Settings: settings, Top: checkout(t)}
	require.NotEmpty(t, l.SuiteNames(), "-suites names none")
	if l.Roots == "" {
		var err error
		l.Roots, err = os.MkdirTemp("/var/tmp", "dkms-hooks-roots.")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(l.Roots)) })
	}
	if l.Deb == "" {
		debs, err := filepath.Glob(filepath.Join(l.Top, "dist", "dkms-hooks_*.deb"))
		require.NoError(t, err)
		require.Len(t, debs, 1, "one package in dist/, by make deb")
		l.Deb = debs[0]
	}
	l.Scratch = t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", l.Scratch, "tmpfs", 0, "size=6g"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(l.Scratch, unix.MNT_DETACH)) })
	return l
}

// checkout returns the directory with go.mod, from the working directory upwards.
func checkout(t T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, "/", dir, "no go.mod above the working directory")
		dir = filepath.Dir(dir)
	}
}

// Make runs a script of testdata/lab and returns the last line of its stdout.
func (l Lab) Make(t T, script string, args ...string) string {
	t.Helper()
	line, err := l.TryMake(script, args...)
	require.NoError(t, err)
	return line
}

// TryMake is Make for a script that may fail.
func (l Lab) TryMake(script string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(l.Top, "testdata", "lab", script), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %v: %w:\n%s", script, args, err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], nil
}

// Compile puts a program of testdata/lab, which is one file of C, into /srv of a root.
func (l Lab) Compile(t T, r Root, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(r.Path("srv"), 0o755))
	source := filepath.Join(l.Top, "testdata", "lab", name+".c")
	out, err := exec.Command("gcc", "-O2", "-Wall", "-static", "-o", r.Path("srv", name), source).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
