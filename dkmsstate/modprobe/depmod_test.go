package modprobe

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Which of two files depmod takes, and the line that decides. Without a line the order decides,
// or the default.
func TestChoose(t *testing.T) {
	const dkms, updates, extra, kernel, abroad = "updates/dkms/m-x.ko.xz", "updates/m-x.ko", "extra/m-x.ko.gz", "kernel/a/m-x.ko", "/srv/m-x.ko"
	for name, c := range map[string]struct {
		conf, first, second, taken string
		line                       int
	}{
		"the default":                      {"", extra, dkms, dkms, 0},
		"the default, in the other order":  {"", dkms, extra, dkms, 0},
		"the kernel's, first":              {"search updates built-in", extra, kernel, extra, 0},
		"the kernel's, second":             {"search updates built-in", kernel, extra, kernel, 0},
		"both in updates":                  {"search updates built-in", dkms, updates, updates, 0},
		"both in updates, the other order": {"search updates built-in", updates, dkms, dkms, 0},
		"both after built-in":              {"search built-in updates", updates, dkms, updates, 0},
		"a place of its own":               {"search updates/dkms updates built-in", dkms, updates, dkms, 1},
		"search":                           {"#\nsearch extra updates built-in", dkms, extra, extra, 2},
		"search, by two lines":             {"search extra\nsearch updates built-in", dkms, extra, extra, 1},
		"search, too late":                 {"search updates built-in\nsearch extra", dkms, extra, dkms, 1},
		"search names a part of a name":    {"search upd ext built-in", dkms, extra, dkms, 0},
		"the kernel's before all others":   {"search built-in updates", dkms, kernel, kernel, 1},
		"override":                         {"override m-x * extra", dkms, extra, extra, 1},
		"the last override":                {"override m-x * extra\noverride m-x * updates/dkms", dkms, extra, dkms, 2},
		"override of the same name":        {"override m_x * extra", dkms, extra, dkms, 0},
		"override with a slash":            {"override m-x * extra/", dkms, extra, dkms, 0},
		"override of a file that is not":   {"override m-x * weak-updates", dkms, extra, dkms, 0},
		"override for this kernel":         {"override m-x ^6\\\\.1 extra", dkms, extra, extra, 1},
		"override for another kernel":      {"override m-x 6.2 extra", dkms, extra, dkms, 0},
		"override with no pattern":         {"override m-x ( extra", dkms, extra, dkms, 0},
		"override without a place":         {"override m-x *", dkms, extra, dkms, 0},
		"external, not searched":           {"external * /srv\nsearch updates built-in", dkms, abroad, dkms, 2},
		"external":                         {"external * /srv\nsearch external updates built-in", dkms, abroad, abroad, 1},
		"external, after updates":          {"external * /srv\nsearch updates external built-in", dkms, abroad, dkms, 2},
		"external, for another kernel":     {"external 5 /srv\nsearch external updates built-in", dkms, abroad, dkms, 2},
		"external against the kernel's":    {"external * /srv\nsearch external built-in", kernel, abroad, abroad, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDepmod(parse("f", []byte(c.conf)), "6.1.0+1")
			taken, line := d.Choose(c.first, c.second)
			assert.Equal(t, c.taken, taken)
			assert.Equal(t, c.line, line.Number)
		})
	}
}

func TestExcludes(t *testing.T) {
	d := newDepmod(parse("f", []byte("search updates\nexclude dkms old\n")), "6.1.0")
	for file, want := range map[string]int{"updates/dkms/m.ko": 2, "old/x/m.ko": 2, "updates/m.ko": 0, "updates/dkms2/m.ko": 0} {
		line, excluded := d.Excludes(file)
		assert.Equal(t, want, line.Number, file)
		assert.Equal(t, want > 0, excluded, file)
	}
}

func TestModuleName(t *testing.T) {
	assert.Equal(t, "be_ta", ModuleName("updates/dkms/be-ta.ko.zst"))
	assert.Equal(t, "be_ta", ModuleName("be-ta"))
}
