package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/shvars"
)

// A dkms.conf excludes a kernel if that is certain. Anything else is left to dkms.
func TestExcluded(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                                     false,
		`BUILD_EXCLUSIVE_KERNEL="^6\.1\."`:                     false,
		`BUILD_EXCLUSIVE_KERNEL="^(5|4)\..*"`:                  true,
		`BUILD_EXCLUSIVE_KERNEL="^5\..*$"`:                     true,
		`BUILD_EXCLUSIVE_KERNEL='^(5\.1$|4)'`:                  true,
		`BUILD_EXCLUSIVE_KERNEL='5\$x'`:                        false, // dkms reads it twice
		`BUILD_EXCLUSIVE_KERNEL="rt"`:                          true,
		`BUILD_EXCLUSIVE_KERNEL='[5]'`:                         true,
		`BUILD_EXCLUSIVE_KERNEL="6\.1\.[0-9]+"`:                false,
		`BUILD_EXCLUSIVE_KERNEL='\<5\>'`:                       false, // of GNU
		`BUILD_EXCLUSIVE_KERNEL="[[:digit:]]x"`:                false,
		`BUILD_EXCLUSIVE_KERNEL="5{2}"`:                        false,
		`BUILD_EXCLUSIVE_KERNEL="*5"`:                          false, // not a pattern
		`BUILD_EXCLUSIVE_KERNEL="$(uname -r)"`:                 false,
		"if [ $kernelver ]; then BUILD_EXCLUSIVE_KERNEL=5; fi": false,
		`BUILD_EXCLUSIVE_ARCH="aarch64"`:                       true,
		`BUILD_EXCLUSIVE_ARCH="(x86_64|i686)"`:                 false,
		"BUILT_MODULE_NAME=a\nBUILD_EXCLUSIVE_ARCH=aarch64":    true,
		"BUILT_MODULE_NAME[0]=a\nBUILT_MODULE_NAME[1]=b\nBUILD_EXCLUSIVE_ARCH=aarch64": false,
		"BUILD_EXCLUSIVE_KERNEL_MIN=7":                       false, // not known to every dkms
		". /etc/os-release\nBUILD_EXCLUSIVE_KERNEL=5":        false,
		"BUILD_EXCLUSIVE_KERNEL=5\nBUILD_EXCLUSIVE_KERNEL=6": false,
	} {
		path := filepath.Join(t.TempDir(), "dkms.conf")
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o644))
		as, _, err := shvars.Assignments{}.Source(path)
		require.NoError(t, err, text)
		assert.Equal(t, want, newConf(as, "6.1.0", "x86_64").Excluded, text)
	}
}
