package dkmsstate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Engine is dkms(8) and depmod(8), as far as they are needed. There is no
// remove, which would drop a registration.
type Engine interface {
	// Build compiles a module; Install installs a built one without depmod.
	Build(ctx context.Context, m Module, kernel Release, arch string) error
	Install(ctx context.Context, m Module, kernel Release, arch string) error
	// Unbuild uninstalls and unbuilds a module on one kernel without depmod.
	Unbuild(ctx context.Context, m Module, kernel Release, arch string) error
	// Add registers a module whose source is in the source tree.
	Add(ctx context.Context, m Module) error
	// Depmod makes the kernel's modules.dep and its fellows anew.
	Depmod(ctx context.Context, kernel Release) error
	// Compress writes a module compressed to an open file; suffix says how.
	Compress(ctx context.Context, suffix, module string, to *os.File) error
}

// DKMS is the Engine of the running system.
type DKMS struct {
	// Timeout bounds one call; what it started is ended with it.
	Timeout time.Duration
	// Lock, when it is set, is the lock of this run. Children inherit it, so that
	// a hook that is killed leaves no dkms at work that the next run does not
	// wait for.
	Lock *os.File
	// Tree is the dkms_tree to name to dkms, "" for the one that it knows. To a
	// dkms whose tree is a symbolic link nothing ever counts as installed.
	Tree string
}

// Build runs dkms build.
func (d DKMS) Build(ctx context.Context, m Module, kernel Release, arch string) error {
	return d.dkms(ctx, "build", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Install runs dkms install --no-depmod.
func (d DKMS) Install(ctx context.Context, m Module, kernel Release, arch string) error {
	return d.dkms(ctx, "install", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Unbuild runs dkms unbuild --no-depmod.
func (d DKMS) Unbuild(ctx context.Context, m Module, kernel Release, arch string) error {
	return d.dkms(ctx, "unbuild", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Add runs dkms add.
func (d DKMS) Add(ctx context.Context, m Module) error {
	return d.dkms(ctx, "add", "-m", m.Name, "-v", m.Version)
}

func (d DKMS) dkms(ctx context.Context, args ...string) error {
	if d.Tree != "" {
		args = append(args, "--dkmstree", d.Tree)
	}
	return d.run(ctx, "dkms", args...)
}

// Depmod runs depmod -a the way dkms does, with the kernel's symbols where
// /boot has them, so that the files come out the same byte for byte.
func (d DKMS) Depmod(ctx context.Context, kernel Release) error {
	args := []string{"-a", string(kernel)}
	if symbols := "/boot/System.map-" + string(kernel); anyExists("/", symbols) {
		args = append(args, "-F", symbols)
	}
	return d.run(ctx, "depmod", args...)
}

// Compress runs the program that suffix stands for.
func (d DKMS) Compress(ctx context.Context, suffix, module string, to *os.File) error {
	program := compressor(suffix)
	if program == nil {
		return fmt.Errorf("cannot compress to %q: that is not known", suffix)
	}
	return d.runTo(ctx, to, program[0], append(program[1:], module)...)
}

// environment is all that a child gets to see. MAKEFLAGS, ARCH, CROSS_COMPILE,
// KERNELRELEASE, TMPDIR and the like would change what is built, and a PATH
// without sbin makes dkms do nothing without a word.
func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive",
	}
}

// run runs a program in a process group of its own, with nothing on stdin and
// its output kept for the error. When the program ends, the time is over or the
// context ends, the whole group is ended: dkms leaves a `sleep 3` behind that
// would hold its output open.
func (d DKMS) run(ctx context.Context, program string, args ...string) error {
	return d.runTo(ctx, nil, program, args...)
}

// runTo is run with what the program writes to stdout put into a file, unless
// that is nil.
func (d DKMS) runTo(ctx context.Context, stdout *os.File, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	path, err := lookPath(program)
	if err != nil {
		return err
	}
	output, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot run %s: %w", program, err)
	}
	defer output.Close()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = theirs, theirs
	if stdout != nil {
		cmd.Stdout = stdout
	}
	if d.Lock != nil {
		cmd.ExtraFiles = []*os.File{d.Lock}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("cannot run %s: %w", program, err)
	}
	var out tail
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&out, output)
	}()
	err = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = output.SetReadDeadline(time.Now().Add(time.Second)) // for what left the group
	<-read
	if err == nil {
		return nil
	}
	failure := &CallError{Program: program, Args: args, Output: out.String(), Code: -1, Err: err}
	if cause := ctx.Err(); cause != nil {
		failure.Err = cause
		if errors.Is(cause, context.DeadlineExceeded) {
			failure.Err = fmt.Errorf("ended after %s, the limit for one call", d.Timeout)
		}
		return failure
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		failure.Code = exit.ExitCode()
	}
	return failure
}

// lookPath finds a program in the places where the system has them.
func lookPath(program string) (string, error) {
	_, path, _ := strings.Cut(environment()[0], "=")
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("cannot find the program %s", program)
}

// CallError is a call of dkms or depmod that failed.
type CallError struct {
	Program string
	Args    []string
	// Code is the exit status, -1 when there was none.
	Code int
	// Output is the end of what it printed.
	Output string
	Err    error
}

// Error gives the call and how it ended.
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

// Unwrap gives what exec or the context said.
func (e *CallError) Unwrap() error { return e.Err }

// tail keeps the end of what is written to it.
type tail struct{ buf bytes.Buffer }

// tailSize is what is kept of a program's output; dkms has the whole in its log.
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
