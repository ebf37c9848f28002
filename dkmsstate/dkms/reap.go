package dkms

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

// CallVariable is the environment variable with the mark of a call. Everything that the program
// starts has it, unless it clears its environment. What does so still has the file of markFile open,
// unless it closes that, too.
const CallVariable = "DKMS_HOOKS_CALL"

// reap kills what a call left running, and what is re-parented to this process by that in turn.
// Other children are not its to end: those of other calls, and what others started. This process
// inherits the children of the shell that it was before exec, and whatever these leave; as the
// first process of a container it inherits everything.
func reap(mark string) { kill(func() []int { return leftBy(mark, os.Getpid()) }) }

// markFileName begins the name of the file of a call's mark.
const markFileName = "dkms-hooks-call-"

// markFile returns a file in memory whose name has the mark of a call, for the program to inherit. It
// returns nil where there is none (memfd_create(2)).
func markFile(mark string) *os.File {
	fd, err := unix.MemfdCreate(markFileName+mark, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(markFileName+mark, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), markFileName+mark)
}

// hasMark reports whether a process has the mark of a call, in its environment or, if that has none,
// in the name of an open file (proc_pid_fd(5)).
func hasMark(pid int, mark string) bool {
	if has, known := markOf(pid); !known || has != "" {
		return has == mark
	}
	descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(descriptors, func(descriptor string) bool {
		name, err := os.Readlink(descriptor)
		return err == nil && strings.HasPrefix(name, "/memfd:"+markFileName+mark)
	})
}

// kill kills the processes that a function returns, until it returns none.
func kill(find func() []int) {
	const attempts = 100
	var killed []int
	for range attempts {
		left := slices.DeleteFunc(find(), dkmsstate.Ended)
		// One that is being killed has lost its environment before it has ended.
		left = append(left, slices.DeleteFunc(slices.Clone(killed), func(pid int) bool { return slices.Contains(left, pid) || dkmsstate.Ended(pid) })...)
		if len(left) == 0 {
			break
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if !slices.Contains(killed, pid) {
				killed = append(killed, pid)
			}
		}
		time.Sleep(time.Millisecond)
	}
	for _, pid := range killed {
		collect(pid)
	}
}

// collect waits for a child that has ended.
func collect(pid int) { _, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) }

// leftBy returns the processes below another one that have the mark of a call, and all that are below
// these: a program may clear the environment of what it starts.
func leftBy(mark string, parent int) []int {
	var pids []int
	for _, pid := range childrenOf(parent) {
		if hasMark(pid, mark) {
			pids = append(pids, pid)
			pids = append(pids, below(pid)...)
		} else {
			pids = append(pids, leftBy(mark, pid)...)
		}
	}
	return pids
}

// below returns the processes below another one.
func below(parent int) []int {
	var pids []int
	for _, pid := range childrenOf(parent) {
		pids = append(pids, pid)
		pids = append(pids, below(pid)...)
	}
	return pids
}

// markOf returns the mark of the call that started a process, directly or not, "" if it has none. It
// reports false if its environment cannot be read.
func markOf(pid int) (string, bool) {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		if mark, ok := bytes.CutPrefix(entry, []byte(CallVariable+"=")); ok {
			return string(mark), true
		}
	}
	return "", err == nil
}

// endedChildren returns the children of this process that have ended, and that nobody has waited
// for.
func endedChildren() []int {
	return slices.DeleteFunc(childrenOf(os.Getpid()), func(pid int) bool { return !dkmsstate.Ended(pid) })
}

// childrenOf returns the children of a process, according to /proc.
func childrenOf(parent int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	var pids []int
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
