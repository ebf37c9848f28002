package dkms

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

func children() []int {
	return slices.DeleteFunc(childrenOf(os.Getpid()), dkmsstate.Ended)
}

// What a build leaves running is ended.
func TestRunEndsWhatABuildStarted(t *testing.T) {
	lock, err := record.Acquire(t.Context(), dkmsstate.DefaultLayout(t.TempDir()), time.Minute, func() {})
	require.NoError(t, err)
	defer lock.Close()
	other := exec.Command("sleep", "1000") // not a child of a call
	require.NoError(t, other.Start())
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	require.Contains(t, children(), other.Process.Pid, "this needs /proc/PID/task/TID/children")
	build := DKMS{Timeout: time.Minute, Lock: lock, compiles: true}
	for name, script := range map[string]string{
		"a child":                         `sleep 1000 & echo left`,
		"a daemon":                        `setsid sleep 1000 & echo left`,
		"one of a daemon":                 `setsid sh -c 'env -i sleep 1000 & sleep 1000' >/dev/null 2>&1 & echo left`,
		"one that clears its environment": `setsid --wait sh -c 'env -i sleep 1000 & sleep 1000 &' >/dev/null 2>&1; echo left`,
		"one that forks":                  `(sleep 1000 & sleep 1000 & sleep 1000) & echo left`,
		"nothing but exit":                `echo left`,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			require.NoError(t, build.run(context.Background(), nil, &log, "sh", "-c", script))
			assert.Equal(t, "left\n", log.String())
			assert.Equal(t, []int{other.Process.Pid}, children())
		})
	}
}

// A process of somebody else's that is re-parented while a call runs is left alone.
func TestRunSparesWhatItDidNotStart(t *testing.T) {
	lock, err := record.Acquire(t.Context(), dkmsstate.DefaultLayout(t.TempDir()), time.Minute, func() {})
	require.NoError(t, err)
	defer lock.Close()
	dir := t.TempDir()
	begun, orphaned := filepath.Join(dir, "begun"), filepath.Join(dir, "orphaned")
	other := exec.Command("sh", "-c", "read line; setsid sleep 1000 >/dev/null 2>&1 & echo $!", "sh")
	stdin, err := other.StdinPipe()
	require.NoError(t, err)
	stdout, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())
	ended := make(chan error, 1)
	go func() {
		ended <- DKMS{Timeout: time.Minute, Lock: lock, compiles: true}.run(context.Background(), nil, nil, "sh", "-c",
			`sleep 1000 & touch "$0"; until [ -e "$1" ]; do sleep 0.01; done`, begun, orphaned)
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(begun); return err == nil }, time.Minute, time.Millisecond)
	require.NoError(t, stdin.Close())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, other.Wait())
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL); _, _ = syscall.Wait4(pid, nil, 0, nil) }()
	require.Contains(t, children(), pid, "it is re-parented")
	require.NoError(t, os.WriteFile(orphaned, nil, 0o644))
	require.NoError(t, <-ended)
	assert.Equal(t, []int{pid}, children())
}

// What any other program leaves running when it ends by itself stays: a build that ends later does not
// end it, it can print, and it does not keep the lock.
func TestRunLeavesWhatOthersStarted(t *testing.T) {
	l := dkmsstate.DefaultLayout(t.TempDir())
	lock, err := record.Acquire(t.Context(), l, time.Minute, func() {})
	require.NoError(t, err)
	for name, start := range map[string]string{"in the background": "", "with nohup": "nohup ", "a daemon": "setsid ", "without environment": "setsid env -i "} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := func(name string) string { return filepath.Join(dir, name) }
			var log bytes.Buffer
			said, err := os.Create(file("said"))
			require.NoError(t, err)
			defer said.Close()
			defer func(before *os.File) { os.Stderr = before }(os.Stderr)
			os.Stderr = said
			engine := DKMS{Timeout: time.Minute, Lock: lock, Calls: new(Calls)}
			job := start + `sh -c 'echo $$ >"$0/pid"; until [ -e "$0/go" ]; do sleep 0.01; done; yes "" | head -n 100000; echo end || exit; touch "$0/made"'`
			require.NoError(t, engine.run(context.Background(), nil, &log, "sh", "-c", job+` "$0" & until [ -s "$0/pid" ]; do sleep 0.01; done; echo left`, dir))
			assert.Equal(t, "left\n", log.String())
			build := engine
			build.compiles = true
			require.NoError(t, build.run(context.Background(), nil, nil, "sh", "-c", "setsid sleep 1000 &"))
			require.NoError(t, os.WriteFile(file("go"), nil, 0o644))
			waitFor(t, func() bool { _, err := os.Stat(file("made")); return err == nil })
			waitFor(t, func() bool { data, _ := os.ReadFile(file("said")); return len(data) == 100000+len("end\n") })
		})
	}
	holding := DKMS{Timeout: time.Minute, Lock: lock}
	require.NoError(t, holding.run(context.Background(), nil, nil, "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 &"))
	left := children()
	defer func() {
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, 0, nil)
		}
	}()
	require.NotEmpty(t, left)
	require.NoError(t, lock.Close())
	again, err := record.Acquire(t.Context(), l, time.Minute, func() { t.Error("it waited") })
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// What a program leaves that does not end in time is ended.
func TestRunEndsWhatIsLateWithItsChildren(t *testing.T) {
	dir := t.TempDir()
	pid := filepath.Join(dir, "pid")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- DKMS{Timeout: time.Minute}.run(ctx, nil, nil, "sh", "-c", `setsid sh -c 'echo $$ >"$0"; sleep 1000' "$0" & sleep 1000`, pid)
	}()
	var daemon int
	waitFor(t, func() bool {
		data, _ := os.ReadFile(pid)
		daemon, _ = strconv.Atoi(strings.TrimSpace(string(data)))
		return daemon != 0
	})
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.True(t, dkmsstate.Ended(daemon))
}

func TestRunEndsInTime(t *testing.T) {
	err := DKMS{Timeout: 200 * time.Millisecond}.run(context.Background(), nil, nil, "sh", "-c", "echo begun; sleep 1000")
	var call *CallError
	require.ErrorAs(t, err, &call)
	assert.ErrorContains(t, err, "ended after 200ms, the time limit for one call")
	assert.Equal(t, "begun\n", call.Output)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, DKMS{Timeout: time.Minute}.run(ctx, nil, nil, "sh", "-c", "sleep 1000"), context.Canceled)
}

// A signal that ended this run is no failure of what it ran, whatever it says of itself: the cause of
// signal.NotifyContext describes the signal (Go 1.26).
func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	require.ErrorIs(t, DKMS{Timeout: time.Minute}.run(ctx, nil, nil, "sh", "-c", "sleep 1000"), context.Canceled)

	ctx, cancel = context.WithCancelCause(t.Context())
	begun := filepath.Join(t.TempDir(), "begun")
	ended := make(chan error, 1)
	go func() {
		ended <- DKMS{Timeout: time.Minute}.run(ctx, nil, nil, "sh", "-c", `touch "$0"; sleep 1000`, begun)
	}()
	waitFor(t, func() bool { _, err := os.Stat(begun); return err == nil })
	cancel(errors.New("interrupt signal received"))
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestRunGivesChildrenTheEnvironmentAndNoDescriptors(t *testing.T) {
	t.Setenv("KBUILD_SIGN_PIN", "not this one") // only Environ counts
	var log bytes.Buffer
	engine := DKMS{Timeout: time.Minute, Environ: []string{"PATH=" + dkmsstate.SystemPath, "KBUILD_SIGN_PIN=secret"}}
	require.NoError(t, engine.run(context.Background(), nil, &log, "sh", "-c", "cat; pwd; env; ls /proc/self/fd"))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	assert.Equal(t, "/", lines[0], "nothing on stdin")
	assert.Contains(t, lines, "KBUILD_SIGN_PIN=secret")
	assert.NotContains(t, log.String(), "not this one")
	fds := lines[slices.IndexFunc(lines, func(l string) bool { return l == "0" }):]
	assert.Equal(t, []string{"0", "1", "2", "3", "4"}, fds, "3 is the mark of the call, 4 the directory that ls lists")
}

func TestRunKeepsTheEndOfTheOutput(t *testing.T) {
	var log bytes.Buffer
	err := DKMS{Timeout: time.Minute}.run(context.Background(), nil, &log, "sh", "-c", "yes | head -c 1000000; echo the end; exit 3")
	var call *CallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, 3, call.Code)
	assert.Len(t, call.Output, tailSize)
	assert.True(t, strings.HasSuffix(call.Output, "the end\n"))
	assert.Equal(t, 1000008, log.Len(), "the log has it whole")
}

// What another program leaves while a build runs is not that build's, even without environment.
func TestRunLeavesWhatOthersStartedBesideABuild(t *testing.T) {
	lock, err := record.Acquire(t.Context(), dkmsstate.DefaultLayout(t.TempDir()), time.Minute, func() {})
	require.NoError(t, err)
	defer lock.Close()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	engine := DKMS{Timeout: time.Minute, Lock: lock, Calls: new(Calls)}
	build := engine
	build.compiles = true
	ended := make(chan error, 1)
	go func() {
		ended <- build.run(context.Background(), nil, nil, "sh", "-c", `setsid env -i sleep 1000 & touch "$0/begun"; until [ -e "$0/go" ]; do sleep 0.01; done`, dir)
	}()
	waitFor(t, func() bool { _, err := os.Stat(file("begun")); return err == nil })
	require.NoError(t, engine.run(context.Background(), nil, nil, "sh", "-c", `setsid env -i sh -c 'echo $$ >"$0/pid"; exec sleep 1000' "$0" >/dev/null 2>&1 & until [ -s "$0/pid" ]; do sleep 0.01; done`, dir))
	require.NoError(t, os.WriteFile(file("go"), nil, 0o644))
	require.NoError(t, <-ended)
	data, err := os.ReadFile(file("pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL); _, _ = syscall.Wait4(pid, nil, 0, nil) }()
	assert.Equal(t, []int{pid}, children())
}
