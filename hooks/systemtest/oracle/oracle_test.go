package oracle

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCells(t *testing.T) {
	seen := map[string]bool{}
	quick := 0
	for _, c := range Cells() {
		name := c.Group + ", " + string(c.On) + ", " + string(c.Starts) + ": " + c.Name
		assert.False(t, seen[name], name)
		seen[name] = true
		assert.Equal(t, c.Group == "choice", c.Module == "", name)
		assert.False(t, c.Arrange != "" && !c.Inside, name)
		assert.False(t, c.On.tiny() && c.Starts != Emulator, name)
		if c.Quick {
			quick++
			assert.True(t, c.Starts == Emulator && (c.On == Signed || c.On == Lab), "%s: another machine has to be made for it", name)
		}
	}
	assert.GreaterOrEqual(t, len(seen), 40)
	assert.Equal(t, 8, quick)
}

func TestJudge(t *testing.T) {
	module, choice := Cell{Module: "alpha"}, Cell{}
	m := machine{kernel: "6.1"}
	const start, end = "oracle: running 6.1\n", "\noracle: over\n"
	for name, c := range map[string]struct {
		cell    Cell
		console string
		want    word
	}{
		"loaded":          {module, start + "oracle: modprobe 0 \noracle: build 0a" + end, word{loads, ""}},
		"early":           {module, start + "oracle: early alpha\noracle: build 0a" + end, word{loads, "from the initramfs"}},
		"an older one":    {module, start + "oracle: early alpha\noracle: build 0b" + end, word{doesNot, "the initramfs loads another build"}},
		"another file":    {module, start + "oracle: modprobe 0\noracle: build 0b" + end, word{doesNot, "modprobe loads another file"}},
		"refused":         {module, start + "oracle: modprobe 1 modprobe: no\noracle: kernel rejected" + end, word{doesNot, "modprobe: no rejected"}},
		"nothing":         {module, start + "oracle: modprobe 0 \noracle: kernel " + end, word{doesNot, "modprobe loads nothing"}},
		"another kernel":  {module, "oracle: running 6.2\noracle: modprobe 0\noracle: build 0a" + end, word{doesNot, "6.2 starts"}},
		"nothing starts":  {module, "\x1b[01;01Herror: bad shim signature\n", word{doesNot, "the kernel does not start: error: bad shim signature"}},
		"cut off":         {module, start + "Kernel panic\n", word{doesNot, "the kernel does not start: Kernel panic"}},
		"which one":       {choice, "oracle: running 6.2" + end, word{"6.2", ""}},
		"none, no module": {choice, "no bootable device\n", word{doesNot, "the kernel does not start: no bootable device"}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, judge(c.cell, m, "0a", c.console)) })
	}
}

func TestTable(t *testing.T) {
	cell := func(group, name string) Cell {
		for _, c := range Cells() {
			if c.Group == group && c.Name == name {
				return c
			}
		}
		require.FailNow(t, "no such cell", name)
		return Cell{}
	}
	saved := cell("choice", "saved_entry")
	first := Table("", []Result{
		{Cell: saved, predicted: word{cannotTell, "x | y"}, seen: word{"6.1", ""}, where: "--root"},
		{Cell: cell("build", "the installed file is gone"), predicted: word{loads, ""}, seen: word{loads, ""}, others: others{dkms: "installed"}, where: "inside"},
		{Cell: Cell{Group: "build", Name: "of before"}},
	}, "2026-01-01", "versions")
	assert.Contains(t, first, "Cells: 2. Right: 1. WRONG: 0. Cannot tell: 1.\n")
	assert.Contains(t, first, "| choice | GRUB: saved_entry | Debian, two | --root | cannot tell: x \\| y | 6.1 | cannot tell | – | – | – | 2026-01-01 |\n")
	assert.Contains(t, first, "| x \\| y | 1 |\n")

	second := Table(first, []Result{{Cell: cell("build", "the installed file is gone"), predicted: word{loads, ""}, seen: word{doesNot, "no"}}}, "2026-01-02", "versions")
	assert.Contains(t, second, "Cells: 2. Right: 0. WRONG: 1. Cannot tell: 1.\n")
	assert.Contains(t, second, "| loads | does not load: no | WRONG | – | – | – | 2026-01-02 |\n")
	assert.Contains(t, second, "| cannot tell: x \\| y | 6.1 | cannot tell | – | – | – | 2026-01-01 |\n", "kept")
}

// Each row of the table is of one cell.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cells() {
		key := Result{Cell: c}.row("").key()
		assert.False(t, seen[key], key)
		seen[key] = true
	}
}

func TestHear(t *testing.T) {
	var o others
	o.hear(readConsole("oracle: mokutil /var/lib/dkms/mok.pub is not enrolled\noracle: needrestart NEEDRESTART-VER: 3.11 NEEDRESTART-KCUR: 6.1 NEEDRESTART-KEXP: 6.2 NEEDRESTART-KSTA: 3\n"))
	assert.Equal(t, others{mokutil: "mok.pub is not enrolled", needrestart: "another kernel is expected: 6.2"}, o)
}
