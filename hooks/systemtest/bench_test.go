//go:build integration

package systemtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// bench is where the roots stand.
type bench struct {
	// settings has in deb the package under test, in roots what mkroot and mkkernel
	// made, and in kernels the directory of real kernels, "" without one.
	settings
	// top is the checkout, scratch a tmpfs that goes with the mount namespace
	// whatever happens.
	top, scratch string
}

func newBench(t *testing.T) bench {
	t.Helper()
	top, err := filepath.Abs("../..")
	require.NoError(t, err)
	b := bench{settings: readSettings(t), top: top}
	b.kernels = b.realKernels()
	if b.roots == "" {
		b.roots, err = os.MkdirTemp("/var/tmp", "dkms-hooks-roots.")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(b.roots)) })
	}
	if b.deb == "" {
		debs, err := filepath.Glob(filepath.Join(top, "dist", "dkms-hooks_*.deb"))
		require.NoError(t, err)
		require.Len(t, debs, 1, "one package in dist/, by make deb")
		b.deb = debs[0]
	}
	b.scratch = t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", b.scratch, "tmpfs", 0, "size=6g"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(b.scratch, unix.MNT_DETACH)) })
	return b
}

// realKernels is the directory that holds kernels made with bindeb-pkg.
func (b bench) realKernels() string {
	for _, dir := range []string{b.kernels, filepath.Join(b.top, "dist", "kernels")} {
		if images, _ := filepath.Glob(filepath.Join(dir, "linux-image-*.deb")); dir != "" && len(images) > 0 {
			return dir
		}
	}
	return ""
}

// skipKernels skips a test for want of kernels. The last line of make check counts the
// tests that say so.
func skipKernels(t *testing.T, which string) {
	t.Helper()
	t.Skip("for want of kernels: there is none " + which + "; make kernels makes some, and DKMS_HOOKS_KERNELS (of go test, -kernels) names a directory of others")
}

// make runs a script of testdata/lab and returns the last line of its stdout.
func (b bench) make(t *testing.T, script string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(b.top, "testdata", "lab", script), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %v:\n%s", script, args, stderr.String())
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
