package hooks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/dkmsstate/signing"
)

// The playground has 6.1.0 and 6.2.0.
func TestBootable(t *testing.T) {
	const grub = "boot/grub/grub.cfg"
	entries := "menuentry new {\nlinux /vmlinuz-6.2.0\n}\nmenuentry old {\nlinux /vmlinuz-6.1.0\n}\n"
	for name, c := range map[string]struct {
		running  dkmsstate.Release
		files    map[string]string
		want     []dkmsstate.Release
		wordOf61 string
	}{
		"nothing selects":         {"", nil, []dkmsstate.Release{"6.2.0"}, "new since the last boot"},
		"the older one":           {"", map[string]string{grub: "set default=old\n" + entries}, []dkmsstate.Release{"6.1.0"}, "boots next"},
		"the older one, running":  {"6.1.0", map[string]string{grub: "set default=old\n" + entries}, []dkmsstate.Release{"6.1.0"}, "running kernel"},
		"the newer one":           {"6.1.0", map[string]string{grub: entries}, []dkmsstate.Release{"6.2.0", "6.1.0"}, "running kernel"},
		"the older one once":      {"", map[string]string{grub: "load_env\nset default=$next_entry\n" + entries, "boot/grub/grubenv": "# GRUB Environment Block\nnext_entry=old\n"}, []dkmsstate.Release{"6.2.0", "6.1.0"}, "boots next"},
		"it cannot be determined": {"", map[string]string{grub: "strange"}, []dkmsstate.Release{"6.2.0"}, "new since the last boot"},
		"another flavour is newer": {"6.1.0", map[string]string{"boot/vmlinuz-6.3.0-rt": "image", "lib/modules/6.3.0-rt/kernel/a.ko": ""},
			[]dkmsstate.Release{"6.2.0", "6.1.0"}, "running kernel"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayground(t, t.TempDir())
			for file, text := range c.files {
				p.write(file, text)
			}
			layout := dkmsstate.DefaultLayout(p.root)
			layout.Running = c.running
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
			require.NoError(t, err)
			assert.Equal(t, c.want, bootable(inv, layout))
			assert.Equal(t, c.wordOf61, readBoot(inv, layout).word(layout, "6.1.0"))
		})
	}
}

func TestUnpackedSince(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	layout := dkmsstate.DefaultLayout(p.root)
	assert.True(t, unpackedSince(layout, "6.1.0", time.Now().Add(-time.Hour)))
	assert.False(t, unpackedSince(layout, "6.1.0", time.Now().Add(time.Hour)))
	require.NoError(t, os.Remove(filepath.Join(p.root, "boot/vmlinuz-6.1.0")))
	assert.False(t, unpackedSince(layout, "6.1.0", time.Now().Add(-time.Hour)), "nothing can start it")
	assert.False(t, unpackedSince(layout, "9.9", time.Time{}))
}

func TestNextBootText(t *testing.T) {
	for want, next := range map[string]bootloader.Choice{
		"6.1, by GRUB: x":                   {Certainty: bootloader.Decided, Kernel: "6.1", Loader: "GRUB", Reason: "x"},
		"6.1: x":                            {Certainty: bootloader.Decided, Kernel: "6.1", Reason: "x"},
		"the newest kernel, 6.1, as x":      {Certainty: bootloader.Newest, Kernel: "6.1", Reason: "x"},
		"cannot be determined: a?[1m; line": {Certainty: bootloader.Unknown, Reason: "a\x1b[1m\nline"},
	} {
		assert.Equal(t, want, nextBootText(next))
	}
}

func TestCommandLine(t *testing.T) {
	next := bootloader.Choice{Certainty: bootloader.Decided, Kernel: "6.1", Loader: "GRUB", Cmdline: "ro", CmdlineComplete: true}
	for name, c := range map[string]struct {
		change func(*bootloader.Choice)
		want   signing.Line
	}{
		"all of it is known":             {func(*bootloader.Choice) {}, signing.Line{Text: "ro", Chosen: true}},
		"perhaps more":                   {func(c *bootloader.Choice) { c.CmdlinePerhaps = []string{"vt.handoff=7"} }, signing.Line{Text: "ro", Chosen: true}},
		"perhaps more, and that decides": {func(c *bootloader.Choice) { c.CmdlinePerhaps = []string{"x", "module.sig_enforce=1"} }, signing.Line{Chosen: true}},
		"a part of it":                   {func(c *bootloader.Choice) { c.CmdlineComplete = false }, signing.Line{Chosen: true}},
		"another kernel":                 {func(c *bootloader.Choice) { c.Kernel = "6.2" }, signing.Line{}},
		"it cannot be determined":        {func(c *bootloader.Choice) { c.Certainty = bootloader.Unknown }, signing.Line{}},
		"no boot loader":                 {func(c *bootloader.Choice) { c.Loader, c.CmdlineComplete = "", false }, signing.Line{}},
	} {
		choice := next
		c.change(&choice)
		assert.Equal(t, c.want, boot{next: choice}.commandLine("6.1"), name)
	}
}

func TestOrigin(t *testing.T) {
	assert.Equal(t, notBooted, readOrigin(dkmsstate.DefaultLayout(t.TempDir())), "another root")
	for name, c := range map[string]struct {
		known, same, kernel bool
		want                origin
	}{
		"the booted system":              {true, true, true, booted},
		"a chroot":                       {true, false, true, notBooted},
		"an ordinary user":               {false, false, true, originUnknown},
		"the running kernel was removed": {true, true, false, originUnknown},
	} {
		assert.Equal(t, c.want, originOf(c.known, c.same, c.kernel), name)
	}
}
