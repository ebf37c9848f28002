package apply

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
)

func TestLooksAround(t *testing.T) {
	for rules, looks := range map[string]bool{
		"KBUILD_EXTRA_SYMBOLS := $(wildcard /usr/src/*/Module.symvers)\n":                            true,
		"for ko in $(find /lib/modules/$1/updates -name '*.ko'); do\n":                               true,
		"MAKE[0]=\"make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build\"\n": false,
		"DEST_MODULE_LOCATION[0]=\"/updates/dkms\"\n":                                                false,
		"KBUILD_EXTRA_SYMBOLS = $(src)/../common/Module.symvers\n":                                   false,
		"\trm -vf /lib/modules/*/extra/hid.ko\n":                                                     false,
		"obj-m := x.o\nfiles := $(wildcard *.c)\nM=/usr/src/x\n":                                     false,
	} {
		assert.Equal(t, looks, source{rules: [][]byte{[]byte(rules)}}.looksAround(), rules)
	}
}

// A generated configure does not count, since it looks for everything. Nor does a file that is
// not a text of rules.
func TestRulesOfASource(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "m", Version: "1.0"}, "")
	f.Write("usr/src/m-1.0/a.c", "other\n")
	f.Write("usr/src/m-1.0/sub/b.S", "1234")
	f.Write("usr/src/m-1.0/sub/Kbuild", "in kbuild\n")
	f.Write("usr/src/m-1.0/configure", "in configure\n")
	f.Write("usr/src/m-1.0/README.md", "in readme\n")
	f.Write("usr/src/m-1.0/pre.sh", "in script\n")
	f.Write("usr/src/m-1.0/Makefile.large", "in large "+strings.Repeat("x", maxRules)+"\n")
	src := readSource(f.Layout, dkmsstate.Module{Name: "m", Version: "1.0"})
	assert.Equal(t, int64(10), src.bytes)
	assert.Equal(t, 2, src.files)
	for name, named := range map[string]bool{"kbuild": true, "script": true, "m": true, "other": false, "configure": false, "readme": false, "large": false} {
		assert.Equal(t, named, src.names(name), name)
	}
}
