package dkms

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

// relayScript passes on what it reads, and discards the rest once that fails.
const relayScript = "cat; exec cat >/dev/null"

// finish takes what a program printed before it ended out of a pipe, into sink. read ends when
// nothing more reads there. A job that the program left running may hold the pipe. What such a job
// prints goes where this process prints, as with the stock hooks, and is read as long as the job
// lives: it would otherwise be ended by SIGPIPE.
func finish(pipe *os.File, sink io.Writer, read <-chan struct{}) {
	_ = pipe.SetReadDeadline(time.Now())
	<-read
	_ = pipe.SetReadDeadline(time.Time{})
	fd := int(pipe.Fd())
	_ = unix.SetNonblock(fd, false) // the relay cannot read otherwise
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Poll(poll, 0); err == nil && poll[0].Revents&unix.POLLHUP != 0 {
		_, _ = io.Copy(sink, pipe) // nobody writes any more
		return
	}
	if there, err := unix.IoctlGetInt(fd, unix.TIOCINQ); err == nil {
		_, _ = io.CopyN(sink, pipe, int64(there))
	}
	path, err := dkmsstate.LookPath("sh")
	if err != nil {
		return
	}
	relay := exec.Command(path, "-c", relayScript)
	relay.Env = []string{"PATH=" + dkmsstate.SystemPath}
	relay.Dir = "/"
	relay.Stdin, relay.Stdout = pipe, os.Stderr
	relay.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it is not ended with a terminal
	keepDescriptors()
	if relay.Start() == nil {
		_ = relay.Process.Release()
	}
}
