package hooks

import (
	"bytes"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

func building(name string) plan.Task {
	return plan.Task{Module: dkmsstate.Module{Name: name, Version: "1.0"},
		Steps: []plan.Step{{Op: plan.OpBuild, Reason: "not built"}, {Op: plan.OpInstall, Reason: "not installed"}}}
}

func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, Invocation{Kernel: "6.1"})
	p := r.watch(8)
	defer p.stop()
	assert.Empty(t, p.line(80), "nothing is at work")
	p.begin(0, building("one"))
	p.begin(1, building("two"))
	p.running[0].since = time.Now().Add(-12 * time.Second)
	assert.Equal(t, "[1/8] one/1.0, two/1.0 … 12 s", p.line(80))
	assert.Equal(t, "[1/8] one/1.0, … 12 s", p.line(22))
	assert.Equal(t, 22-1, len([]rune(p.line(22))))
	assert.GreaterOrEqual(t, p.end(0, apply.Result{}), 12*time.Second)
	assert.Equal(t, "[2/8] two/1.0 … 0 s", p.line(80))
	assert.Zero(t, p.end(5, apply.Result{}), "never begun")
}

// Without a progress line, the builds that have been running for about a minute are printed
// each minute.
func TestRunningBuildsArePrintedEachMinute(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, Invocation{Kernel: "6.1"})
	p := r.watch(4)
	defer p.stop()
	p.begin(3, building("one"))
	p.begin(0, building("two"))
	p.begin(1, building("new"))
	p.begin(2, plan.Task{Module: dkmsstate.Module{Name: "repaired", Version: "1.0"}, Steps: []plan.Step{{Op: plan.OpRestore}}})
	out.Reset()
	p.printRunning()
	assert.Empty(t, out.String(), "it has just begun")
	p.running[0].since = time.Now().Add(-3 * time.Minute)
	p.running[1].since = time.Now().Add(-45 * time.Second)
	p.running[3].since = time.Now().Add(-3 * time.Minute)
	p.printRunning()
	assert.Equal(t, "dkms-hooks: still building one/1.0 (3 min), two/1.0 (1 min)\n", out.String())
}

// Modules are numbered in the order in which they begin, not in that of the plan.
func TestModulesAreCountedAsTheyBegin(t *testing.T) {
	var out bytes.Buffer
	p := newReport(&out, Invocation{Kernel: "6.1"}).watch(2)
	defer p.stop()
	p.begin(1, building("two"))
	p.begin(0, building("one"))
	assert.Equal(t, "dkms-hooks: building two/1.0 (1 of 2)\ndkms-hooks: building one/1.0 (2 of 2)\n", out.String())
}

// Without a terminal a report consists of whole lines only.
func TestReportWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, Invocation{Kernel: "6.1"})
	p := r.watch(1)
	p.begin(0, building("one"))
	r.infof("said")
	p.end(0, apply.Result{})
	p.stop()
	assert.Equal(t, "dkms-hooks: building one/1.0 (1 of 1)\ndkms-hooks: said\n", out.String())
}

// A printed line is on a line of its own, even after the progress line was drawn.
func TestLinesEraseTheProgressLine(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out, Invocation{Kernel: "6.1"})
	r.infof("before")
	r.draw("[1/2] one/1.0 … 1 s")
	r.draw("[1/2] one/1.0 … 2 s")
	r.infof("after")
	r.draw("")
	assert.Equal(t, "dkms-hooks: before\n[1/2] one/1.0 … 1 s\r\x1b[K[1/2] one/1.0 … 2 s\r\x1b[Kdkms-hooks: after\n", out.String())
}

func TestLiveWidth(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("DPKG_FRONTEND_LOCKED", "")
	assert.Zero(t, terminalWidth(ForPeople(&bytes.Buffer{})))
	file, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer file.Close()
	assert.Zero(t, terminalWidth(ForPeople(file)))

	terminal := openTerminal(t)
	assert.Equal(t, 80, terminalWidth(ForPeople(terminal)), "one that does not know its size")
	require.NoError(t, unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}))
	assert.Equal(t, 120, terminalWidth(ForPeople(terminal)))
	t.Setenv("TERM", "dumb")
	assert.Zero(t, terminalWidth(ForPeople(terminal)))
	t.Setenv("TERM", "xterm")
	t.Setenv("DPKG_FRONTEND_LOCKED", "true")
	assert.Zero(t, terminalWidth(ForPeople(terminal)), "the terminal that apt gives, which ends in its log")
}

// openTerminal returns the end of a new pseudo-terminal that programs write to.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave
}
