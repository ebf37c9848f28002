package dkms

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/sentinel"
)

// ErrTimeout means that a call was ended because it took too long.
const ErrTimeout = sentinel.Error("the time limit for one call")

// run runs a program in a process group of its own, with /dev/null as stdin. The end of the
// output is kept for the error. Unless nil, log gets the whole output, and stdout is the file
// for what the program writes to stdout.
//
// When its time is over, ctx ends or a signal ends it, everything that the program started is ended.
// The same goes for what a build leaves when it ends. What any other program leaves running stays, as
// with the stock hooks: a copy of the initramfs to another disk, or the daemon of a module.
func (d DKMS) run(ctx context.Context, stdout *os.File, log io.Writer, program string, args ...string) error {
	path, err := dkmsstate.LookPath(program)
	if err != nil {
		return err
	}
	calls := d.Calls
	if calls == nil {
		calls = &Calls{}
	}
	output, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot run %s: %w", program, err)
	}
	defer output.Close()
	call := calls.begin(d.compiles)
	ctx, cancel := calls.limit(ctx, call, d.Timeout)
	defer cancel()
	mark := rand.Text()
	cmd := d.command(ctx, mark, path, args, stdout, theirs)
	if file := markFile(mark); file != nil {
		defer file.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		calls.end(call)
		return fmt.Errorf("cannot run %s: %w", program, err)
	}
	calls.started(call, cmd.Process.Pid)
	var end tail
	sink := io.Writer(&end)
	if log != nil {
		sink = io.MultiWriter(&end, log)
	}
	read := copyOutput(output, sink)
	err = cmd.Wait()
	if d.compiles || ctx.Err() != nil || signaled(cmd.ProcessState) {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		reap(mark)
		_ = output.SetReadDeadline(time.Now().Add(time.Second)) // for what was not found
		<-read
	} else {
		finish(output, sink, read)
	}
	calls.end(call)
	if err == nil {
		return nil
	}
	failure := &CallError{Program: program, Args: args, Output: end.String(), Code: -1, Err: err}
	d.explainEnd(ctx, failure)
	return failure
}

// signaled reports whether a signal ended a process.
func signaled(state *os.ProcessState) bool {
	status, is := state.Sys().(syscall.WaitStatus)
	return is && status.Signaled()
}

// command returns a call that is ready to start. mark is that of the call.
func (d DKMS) command(ctx context.Context, mark, path string, args []string, stdout, output *os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = d.environment(mark)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	if stdout != nil {
		cmd.Stdout = stdout
	}
	if d.Lock != nil {
		cmd.ExtraFiles = []*os.File{d.Lock.File()}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	keepDescriptors()
	return cmd
}

// copyOutput copies the output of a call to sink. The channel is closed when there is no more.
func copyOutput(output io.Reader, sink io.Writer) <-chan struct{} {
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(sink, output)
	}()
	return read
}

// explainEnd completes the error of a call: it was ended from here, or it ended with a status. The
// cause of an interruption is a text about the signal with some versions of Go, and is not used.
func (d DKMS) explainEnd(ctx context.Context, failure *CallError) {
	var exit *exec.ExitError
	switch {
	case errors.Is(context.Cause(ctx), ErrTimeout):
		failure.Err = fmt.Errorf("ended after %s, %w", d.Timeout, ErrTimeout)
	case ctx.Err() != nil:
		failure.Err = ctx.Err()
	case errors.As(failure.Err, &exit):
		failure.Code = exit.ExitCode()
	}
}

// keepDescriptors keeps children from inheriting the descriptors that this process inherited. A
// child with that of debconf would keep debconf waiting as long as it runs.
func keepDescriptors() {
	const first = 3
	if unix.CloseRange(first, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	entries, _ := os.ReadDir("/proc/self/fd") // before Linux 5.11
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
}

// CallError is the failure of a call of a program.
type CallError struct {
	Program string
	Args    []string
	// Code is the exit status, -1 if there is none.
	Code int
	// Output is the end of the program's output.
	Output string
	Err    error
}

// Error returns the call and how it ended.
func (e *CallError) Error() string {
	what := e.Program
	if len(e.Args) > 0 && e.Program == "dkms" {
		what += " " + e.Args[0]
	}
	if e.Code >= 0 {
		return fmt.Sprintf("%s exited with %d", what, e.Code)
	}
	return fmt.Sprintf("%s: %v", what, e.Err)
}

// Unwrap returns the error of package exec or of the context.
func (e *CallError) Unwrap() error { return e.Err }

// tail keeps the end of what is written to it.
type tail struct{ buf bytes.Buffer }

// tailSize is how much of a program's output is kept. The log of dkms contains all of it.
const tailSize = 64 << 10

// Write keeps the last tailSize bytes.
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if n > tailSize {
		p = p[n-tailSize:]
	}
	t.buf.Write(p)
	if over := t.buf.Len() - tailSize; over > 0 {
		t.buf.Next(over)
	}
	return n, nil
}

func (t *tail) String() string { return t.buf.String() }
