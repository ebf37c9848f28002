package hooks

import (
	"io"
	"runtime/debug"
	"syscall"
)

// Prepare sets up the process of a program. Files that it creates can be read by others.
// Garbage is collected rarely, since most runs end before collecting pays off. Near a memory
// limit, as when large modules are decompressed, it is collected as needed: a small machine may
// have no memory left.
func Prepare() {
	const percent, limit = 400, 24 << 20
	syscall.Umask(0o022)
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
}

// Main is the main function of a hook. args includes the program's name. Main returns the exit
// status.
//
// If the kernel release is missing or invalid, Main prints the usage, changes nothing and
// returns 2.
func Main(hook Hook, args, environ []string, stderr io.Writer) int {
	if len(args) > 0 {
		args = args[1:]
	}
	inv, err := ParseInvocation(hook, args, environ)
	if err != nil {
		Sayf(stderr, "%s: %v", hook, err)
		Sayf(stderr, "usage: %s KERNEL-RELEASE [IMAGE]", hook)
		return exitUsage
	}
	ctx, stop := UntilSignal()
	defer stop()
	OutliveReaders()
	Prepare()
	return Run(ctx, inv, false, ForPeople(stderr))
}
