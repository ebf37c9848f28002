//go:build integration

package systemtest

import (
	"path/filepath"
	"testing"
)

// realKernels is the directory that holds kernels made with bindeb-pkg, the one that is
// asked for or that of make kernels, "" without any.
func realKernels(asked, top string) string {
	for _, dir := range []string{asked, filepath.Join(top, "dist", "kernels")} {
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
