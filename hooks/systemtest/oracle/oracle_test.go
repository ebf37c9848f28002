package oracle

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
		assert.False(t, (c.On.tiny() || c.Quick) && c.Starts != Emulator, name)
		if c.Quick {
			quick++
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
	page := Table([]Result{
		{Cell: Cell{Group: "build", Name: "a | b", On: Lab}, predicted: word{loads, ""}, seen: word{loads, ""}, others: others{dkms: "installed"}, where: "inside"},
		{Cell: Cell{Group: "choice", Name: "c", On: Two, Starts: GRUB}, predicted: word{cannotTell, "x"}, seen: word{"6.1", ""}, where: "--root"},
		{Cell: Cell{Group: "build", Name: "d", On: Signed}, predicted: word{loads, ""}, seen: word{doesNot, "no"}},
	}, "2026-01-01", "versions")
	assert.Contains(t, page, "Cells: 3. Right: 1. WRONG: 1. Cannot tell: 1.\n")
	assert.Contains(t, page, "| build | a \\| b | make kernels | inside | loads | loads | right | installed | – | – |\n")
	assert.Contains(t, page, "| choice | GRUB: c | Debian, two | --root | cannot tell: x | 6.1 | cannot tell | – | – | – |\n")
	assert.Contains(t, page, "| loads | does not load: no | WRONG |")
	assert.Contains(t, page, "| x | 1 |\n")
}

func TestHear(t *testing.T) {
	var o others
	o.hear(readConsole("oracle: mokutil /var/lib/dkms/mok.pub is not enrolled\noracle: needrestart NEEDRESTART-VER: 3.11 NEEDRESTART-KCUR: 6.1 NEEDRESTART-KEXP: 6.2 NEEDRESTART-KSTA: 3\n"))
	assert.Equal(t, others{mokutil: "mok.pub is not enrolled", needrestart: "another kernel is expected: 6.2"}, o)
}
