package dkms

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// reap kills what calls under a lock left running, and what is re-parented to this process by
// that in turn. Other children are not ours to end: this process inherits those of the shell
// that it was before exec, and whatever these leave; as the first process of a container it
// inherits everything. Without a lock nothing is known to be ours.
func reap(lock *record.Lock) {
	if lock == nil {
		return
	}
	const attempts = 100
	var killed []int
	for range attempts {
		// One that is being killed has lost its descriptors before it has ended.
		ours := slices.DeleteFunc(children(), func(pid int) bool { return !slices.Contains(killed, pid) && !lock.Inherited(pid) })
		if len(ours) == 0 {
			break
		}
		for _, pid := range ours {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		killed = append(killed, ours...)
		time.Sleep(time.Millisecond)
	}
	for _, pid := range append(killed, endedChildren()...) { // no call is left that waits for one
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	}
}

// children returns the children of this process that have not ended, according to /proc.
func children() []int { return slices.DeleteFunc(allChildren(), dkmsstate.Ended) }

// endedChildren returns those that have ended, and that nobody has waited for.
func endedChildren() []int {
	return slices.DeleteFunc(allChildren(), func(pid int) bool { return !dkmsstate.Ended(pid) })
}

func allChildren() []int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
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
