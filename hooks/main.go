package hooks

import (
	"fmt"
	"io"
	"runtime/debug"
	"syscall"
)

// Prepare sets up the process of a program: what it writes can be read by others, and
// mostly it ends before collecting garbage pays. Where it takes more memory, as to
// decompress large modules, garbage is not let pile up: a small machine may have none left.
func Prepare() {
	const percent, limit = 400, 24 << 20
	syscall.Umask(0o022)
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
}

// Main is the whole of a hook program: args are its arguments with the program's
// name first, environ is its environment. It returns the exit status.
//
// With no kernel release, or one that cannot be one, it prints its usage,
// returns 2 and touches nothing.
func Main(hook Hook, args, environ []string, stderr io.Writer) int {
	if len(args) > 0 {
		args = args[1:]
	}
	inv, err := ParseInvocation(hook, args, environ)
	if err != nil {
		fmt.Fprintf(stderr, "dkms-hooks: %s: %v\n", hook, err)
		fmt.Fprintf(stderr, "dkms-hooks: usage: %s KERNEL-RELEASE [IMAGE]\n", hook)
		return exitUsage
	}
	ctx, stop := UntilSignal()
	defer stop()
	OutliveReaders()
	Prepare()
	return Run(ctx, inv, false, stderr)
}
