package fresh

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOptionsDiffer(t *testing.T) {
	const kernel = "CONFIG_MODULES=y\nCONFIG_SMP=y\nCONFIG_NR_CPUS=64\nCONFIG_IPV6=m\nCONFIG_SYSVIPC=y\n"
	for name, c := range map[string]struct {
		image, headers, want string
	}{
		"the same":               {kernel, kernel, ""},
		"text and comments":      {kernel + "# CONFIG_KEYS is not set\nCONFIG_LOCALVERSION=\"a\"\n", "#\n" + kernel + "CONFIG_LOCALVERSION=b\n", ""},
		"a feature is missing":   {kernel + "CONFIG_KEYS=y\n", kernel, "CONFIG_KEYS is y in the image and not set in the headers"},
		"a feature more":         {kernel, kernel + "CONFIG_DEBUG_LOCK_ALLOC=y\n", "CONFIG_DEBUG_LOCK_ALLOC is not set in the image and y in the headers"},
		"a size":                 {kernel, strings.ReplaceAll(kernel, "64", "8"), "CONFIG_NR_CPUS is 64 in the image and 8 in the headers"},
		"built in and a module":  {kernel, strings.ReplaceAll(kernel, "=m", "=y"), ""},
		"signed later":           {kernel, kernel + "CONFIG_MODULE_SIG_ALL=y\n", ""},
		"only for the build":     {kernel + "CONFIG_WERROR=y\nCONFIG_DEBUG_INFO_BTF=y\n", kernel, ""},
		"the image says nothing": {"", kernel, ""},
		"the headers do not":     {kernel, "# empty\n", ""},
		"other tools": {
			kernel + "CONFIG_CC_VERSION_TEXT=\"gcc-12 (Debian 12.2.0-14) 12.2.0\"\nCONFIG_GCC_VERSION=120200\nCONFIG_AS_VERSION=24000\nCONFIG_LD_VERSION=24000\n" +
				"CONFIG_PAHOLE_VERSION=124\nCONFIG_CC_HAS_INT128=y\nCONFIG_CC_HAS_SLS=y\nCONFIG_GCC_PLUGINS=y\nCONFIG_STACKPROTECTOR_PER_TASK=y\nCONFIG_RUSTC_VERSION=107800\n",
			kernel + "CONFIG_CC_VERSION_TEXT=\"gcc (Debian 14.2.0-19) 14.2.0\"\nCONFIG_GCC_VERSION=140200\nCONFIG_AS_VERSION=24400\nCONFIG_LD_VERSION=24400\n" +
				"CONFIG_PAHOLE_VERSION=0\nCONFIG_CC_HAS_INT128=y\nCONFIG_CC_HAS_ENTRY_PADDING=y\nCONFIG_SHADOW_CALL_STACK=y\nCONFIG_CALL_PADDING=y\nCONFIG_LLD_VERSION=0\n",
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, optionsDiffer(readOptions([]byte(c.image)), readOptions([]byte(c.headers))))
		})
	}
}

// No option that is compared depends on the tools.
func TestNoOptionOfTheToolsIsCompared(t *testing.T) {
	for _, name := range layoutOptions() {
		for _, tool := range []string{"CC_", "GCC_", "CLANG_", "AS_", "LD_", "LLD_", "RUST", "PAHOLE_", "TOOLS_", "TOOLCHAIN_", "HAVE_", "ARCH_HAS_", "KASAN", "KCSAN"} {
			assert.False(t, strings.HasPrefix(name, tool), name)
		}
		assert.NotContains(t, name, "CONFIG_")
	}
}
