package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindArch(t *testing.T) {
	const release = "6.1.0-test"
	kernel := "/lib/modules/" + release
	tests := map[string]struct {
		file, config string
		had          []string
		uname        string
		want         string
		sure         bool
	}{
		"nothing tells":                        {uname: "x86_64", want: "x86_64"},
		"32-bit process, 64-bit kernel":        {kernel + "/build/include/config/auto.conf", "#\nCONFIG_64BIT=y\nCONFIG_X86_64=y\n", nil, "i686", "x86_64", true},
		"headers without auto.conf":            {kernel + "/build/.config", "CONFIG_X86_64=y\n", nil, "i686", "x86_64", true},
		"no headers, /boot tells":              {"/boot/config-" + release, "CONFIG_ARM64=y\nCONFIG_ARM_AMBA=y\n", nil, "armv8l", "aarch64", true},
		"no headers, /usr/lib/modules tells":   {kernel + "/config", "CONFIG_ARM64=y\n", nil, "armv7l", "aarch64", true},
		"64-bit process, 32-bit kernel":        {kernel + "/build/.config", "CONFIG_X86_32=y\n", nil, "x86_64", "i686", true},
		"the name in use stays":                {kernel + "/build/.config", "CONFIG_X86_32=y\n", []string{"i586"}, "i686", "i586", true},
		"builds of a wrong one do not count":   {kernel + "/build/.config", "CONFIG_X86_64=y\n", []string{"i686"}, "i686", "x86_64", true},
		"a symbol that only begins alike":      {kernel + "/build/.config", "CONFIG_X86_64_SMP=y\n# CONFIG_X86_64 is not set\n", nil, "i686", "i686", false},
		"nothing tells, builds of one":         {had: []string{"armv6l", "armv6l"}, uname: "armv7l", want: "armv6l"},
		"nothing tells, builds of two":         {had: []string{"i686", "x86_64"}, uname: "armv7l", want: "armv7l"},
		"nothing tells, builds of uname's too": {had: []string{"i686", "x86_64"}, uname: "x86_64", want: "x86_64"},
		"little-endian Power":                  {kernel + "/build/.config", "CONFIG_PPC64=y\n", nil, "ppc64le", "ppc64le", true},
		"an architecture unknown here":         {kernel + "/build/.config", "CONFIG_ALPHA=y\n", nil, "alpha", "alpha", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := DefaultLayout(t.TempDir())
			if test.file != "" {
				require.NoError(t, os.MkdirAll(filepath.Dir(l.Path(test.file)), 0o755))
				require.NoError(t, os.WriteFile(l.Path(test.file), []byte(test.config), 0o644))
			}
			arch, sure := l.findArch(release, test.uname, test.had)
			assert.Equal(t, test.want, arch)
			assert.Equal(t, test.sure, sure)
		})
	}
}
