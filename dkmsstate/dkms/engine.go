package dkms

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// Engine is dkms(8) and depmod(8), as far as they are needed. There is no
// remove, which would drop a registration.
type Engine interface {
	// Build compiles a module; Install installs a built one without depmod. What they
	// print goes to log too.
	Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error
	Install(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error
	// Unbuild uninstalls and unbuilds a module on one kernel without depmod.
	Unbuild(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string) error
	// Add registers a module whose source is in the source tree.
	Add(ctx context.Context, m dkmsstate.Module) error
	// AskAutoinstall returns whether dkms would install a module of a DKMS tree unasked,
	// and what that needs; it builds nothing.
	AskAutoinstall(ctx context.Context, tree string, m dkmsstate.Module, kernel dkmsstate.Release, arch string) (dkmsstate.Answer, error)
	// Depmod makes the kernel's modules.dep and its fellows anew.
	Depmod(ctx context.Context, kernel dkmsstate.Release) error
	// Initramfs makes the kernel's initramfs anew, and InitramfsHolds says whether it
	// holds a module that dkms installed under one of these names.
	Initramfs(ctx context.Context, kernel dkmsstate.Release) error
	InitramfsHolds(ctx context.Context, kernel dkmsstate.Release, names []string) (bool, error)
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
	Lock *record.Lock
	// Environ is the environment of children, as Environment gives it.
	Environ []string
	// Tree is the dkms_tree to name to dkms, "" for the one that it knows. To a
	// dkms whose tree is a symbolic link nothing ever counts as installed.
	Tree string
	// Calls counts what runs side by side.
	Calls *Calls
	// compiles reports whether the call is a build.
	compiles bool
}

// Build runs dkms build. The number of jobs of make is left to dkms: one for each
// processor, or parallel_jobs of framework.conf. The kernel shares the processors out among
// builds that run side by side, so that one that is left alone has them all.
func (d DKMS) Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	d.compiles = true
	return d.dkms(ctx, log, "build", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Install runs dkms install --no-depmod.
func (d DKMS) Install(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	return d.dkms(ctx, log, "install", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Unbuild runs dkms unbuild --no-depmod.
func (d DKMS) Unbuild(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string) error {
	return d.dkms(ctx, nil, "unbuild", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Add runs dkms add.
func (d DKMS) Add(ctx context.Context, m dkmsstate.Module) error {
	return d.dkms(ctx, nil, "add", "-m", m.Name, "-v", m.Version)
}

func (d DKMS) dkms(ctx context.Context, log io.Writer, args ...string) error {
	if d.Tree != "" {
		args = append(args, "--dkmstree", d.Tree)
	}
	if log != nil {
		fmt.Fprintf(log, "dkms %s\n", strings.Join(args, " "))
	}
	return d.run(ctx, nil, log, "dkms", args...)
}

// Depmod runs depmod -a the way dkms does, with the kernel's symbols where
// /boot has them, so that the files come out the same byte for byte.
func (d DKMS) Depmod(ctx context.Context, kernel dkmsstate.Release) error {
	args := []string{"-a", string(kernel)}
	if symbols := "/boot/System.map-" + string(kernel); dkmsstate.Exists(symbols) {
		args = append(args, "-F", symbols)
	}
	return d.run(ctx, nil, nil, "depmod", args...)
}

// Compress runs the program that suffix stands for.
func (d DKMS) Compress(ctx context.Context, suffix, module string, to *os.File) error {
	program := dkmsstate.Compressor(suffix)
	if program == nil {
		return fmt.Errorf("cannot compress to %q: that is not known", suffix)
	}
	return d.run(ctx, to, nil, program[0], append(program[1:], module)...)
}
