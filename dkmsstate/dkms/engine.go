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

// Engine runs dkms(8), depmod(8) and related programs, as far as they are needed. It has no
// method for dkms remove, which would drop a registration.
type Engine interface {
	// Build compiles a module. Install installs a built one without depmod. Both write their
	// output to log as well.
	Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error
	Install(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error
	// Unbuild uninstalls and unbuilds a module on one kernel without depmod. It writes its output
	// to log.
	Unbuild(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error
	// Add registers a module whose source is in the source tree.
	Add(ctx context.Context, m dkmsstate.Module) error
	// AskAutoinstall returns whether dkms would install a module of a DKMS tree unasked, and
	// which others this module needs. It builds nothing.
	AskAutoinstall(ctx context.Context, tree string, m dkmsstate.Module, kernel dkmsstate.Release, arch string) (dkmsstate.Answer, error)
	// Depmod regenerates the kernel's modules.dep and the other files of depmod.
	Depmod(ctx context.Context, kernel dkmsstate.Release) error
	// Initramfs regenerates the kernel's initramfs. AfterInitramfs runs what the tool runs after
	// that, for an initramfs that was put back. Both write their output to log as well.
	Initramfs(ctx context.Context, kernel dkmsstate.Release, log io.Writer) error
	AfterInitramfs(ctx context.Context, kernel dkmsstate.Release, log io.Writer) error
	// PostTransaction runs a command of framework.conf(5).
	PostTransaction(ctx context.Context, command string) error
	// Compress compresses a module into an open file, in the format of suffix.
	Compress(ctx context.Context, suffix, module string, to *os.File) error
}

// DKMS is the Engine of the running system.
type DKMS struct {
	// Timeout bounds one call. Everything that it started is ended then.
	Timeout time.Duration
	// Lock, if not nil, is the lock of this run. Children inherit it, so that the next run
	// waits for a dkms that a killed hook leaves running.
	Lock *record.Lock
	// Environ is the environment of children, as returned by Environment.
	Environ []string
	// Tree is the dkms_tree to pass to dkms, "" for the configured one. A dkms whose tree is a
	// symbolic link never regards a module as installed.
	Tree string
	// Calls are the programs that run side by side.
	Calls *Calls
	// Transaction reports whether framework.conf(5) may set post_transaction. dkms 3.2 and later
	// would run it after an install, before depmod, and after an unbuild, for which no hook of
	// dkms runs it. It is the caller who does, once. TransactionByDKMS reports whether only dkms
	// knows the command, so that dkms install runs it.
	Transaction, TransactionByDKMS bool
	// RemakesInitramfs reports whether dkms would make an initramfs for a module whose dkms.conf says so:
	// once for each, before depmod. It is the caller who does, once.
	RemakesInitramfs bool
	// compiles reports whether the call is a build, and noTransaction whether it must not run
	// post_transaction.
	compiles, noTransaction bool
}

// Build runs dkms build. The number of make's jobs is left to dkms: one for each processor, or
// parallel_jobs of framework.conf. The kernel divides the processors among builds that run side
// by side, so that the last one left has them all.
func (d DKMS) Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	d.compiles = true
	return d.dkms(ctx, log, "build", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)
}

// Install runs dkms install --no-depmod, without post_transaction unless only dkms knows it.
func (d DKMS) Install(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	return d.installing().dkms(ctx, log, d.alone("install", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)...)
}

// Unbuild runs dkms unbuild --no-depmod, without post_transaction.
func (d DKMS) Unbuild(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	return d.unbuilding().dkms(ctx, log, d.alone("unbuild", "--no-depmod", "-m", m.Name, "-v", m.Version, "-k", string(kernel), "-a", arch)...)
}

// alone returns the arguments of a call that makes no initramfs.
func (d DKMS) alone(args ...string) []string {
	if d.RemakesInitramfs {
		args = append(args, "--no-initrd")
	}
	return args
}

// installing returns the engine for an install, and unbuilding the one for an unbuild.
func (d DKMS) installing() DKMS {
	d.noTransaction = d.Transaction && !d.TransactionByDKMS
	return d
}

func (d DKMS) unbuilding() DKMS {
	d.noTransaction = d.Transaction
	return d
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

// Depmod runs depmod -a as dkms does, with the kernel's symbols if /boot has them, so that the
// files are the same byte for byte.
func (d DKMS) Depmod(ctx context.Context, kernel dkmsstate.Release) error {
	args := []string{"-a", string(kernel)}
	if symbols := "/boot/System.map-" + string(kernel); dkmsstate.Exists(symbols) {
		args = append(args, "-F", symbols)
	}
	return d.run(ctx, nil, nil, "depmod", args...)
}

// PostTransaction runs the command with bash, as dkms does.
func (d DKMS) PostTransaction(ctx context.Context, command string) error {
	return d.run(ctx, nil, nil, "bash", "-c", command)
}

// Compress runs the program for the format of suffix.
func (d DKMS) Compress(ctx context.Context, suffix, module string, to *os.File) error {
	program := dkmsstate.Compressor(suffix)
	if program == nil {
		return fmt.Errorf("cannot compress to %q: unknown format", suffix)
	}
	return d.run(ctx, to, nil, program[0], append(program[1:], module)...)
}
