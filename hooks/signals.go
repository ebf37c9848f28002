package hooks

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// UntilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP. A signal
// that the caller ignores stays ignored, here and in children. apt runs maintainer scripts with
// SIGHUP ignored, and a closed terminal must not leave a kernel half-configured.
func UntilSignal() (context.Context, context.CancelFunc) {
	keepIgnored()
	// dkms runs in the background of a terminal, where a question of one of its scripts would
	// stop it until its time limit. With these ignored, the question fails at once (tty_ioctl(4)).
	signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU)
	var ending []os.Signal
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			ending = append(ending, sig)
		}
	}
	if len(ending) == 0 { // NotifyContext takes no signals to mean all
		return context.WithCancel(context.Background())
	}
	return signal.NotifyContext(context.Background(), ending...)
}

// OutliveReaders makes writing to a pipe without a reader an ordinary error: a hook has to
// finish even if nobody reads its output.
func OutliveReaders() {
	if !signal.Ignored(syscall.SIGPIPE) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // not ignored, which children would inherit
	}
}

// keepIgnored ignores the signals that were ignored when the process started. Go keeps SIGHUP
// and SIGINT ignored (os/signal). It installs its own handlers for the others, so that their
// original state is lost. keepIgnored reads that state from the parent, which inherited it as
// well or set it for this process, as `trap "" TERM` does. A shell at a terminal ignores more
// signals for itself than for its children, SIGTSTP among them; its state is not used.
func keepIgnored() {
	ignored := ignoredBy(os.Getppid())
	if ignored&mask(syscall.SIGTSTP) != 0 {
		return
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM} {
		if ignored&mask(sig) != 0 {
			signal.Ignore(sig)
		}
	}
}

func mask(sig syscall.Signal) uint64 { return 1 << (uint(sig) - 1) }

// ignoredBy returns the signals that a process ignores (SigIgn of proc_pid_status(5)).
func ignoredBy(pid int) uint64 {
	data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "SigIgn:"); ok {
			signals, _ := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			return signals
		}
	}
	return 0
}
