package dkms

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dkms-hooks/dkmsstate"
)

// CallVariable is the environment variable with the mark of a call. Everything that the program
// starts has it, unless it clears its environment.
const CallVariable = "DKMS_HOOKS_CALL"

// reap kills what a call left running, and what is re-parented to this process by that in turn.
// Other children are not its to end: those of other calls, and what others started. This process
// inherits the children of the shell that it was before exec, and whatever these leave; as the
// first process of a container it inherits everything.
func reap(mark string) {
	const attempts = 100
	var killed []int
	for range attempts {
		left := slices.DeleteFunc(leftBy(mark, os.Getpid()), dkmsstate.Ended)
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
		if hasMark(mark, pid) {
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

// hasMark reports whether a process was started with the mark of a call.
func hasMark(mark string, pid int) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(entry []byte) bool { return string(entry) == CallVariable+"="+mark })
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
