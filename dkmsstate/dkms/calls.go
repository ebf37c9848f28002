package dkms

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Calls are the programs that this process runs side by side. A nil Calls is for one call at a time.
//
// Among builds, the one that began first has the processors before the others, as far as it can
// use them. Builds begin with the longest, and one that works on a single processor for long (a
// configure script) would have only one share among all the compilers of the others. A program
// that is not a build is short, and others may wait for it.
type Calls struct {
	mu sync.Mutex
	// running are the programs in the order in which they began.
	running []*sideCall
	// canRaise is called before a build is put behind another one for the first time. Without
	// CAP_SYS_NICE it would keep the low priority.
	canRaise func() bool
}

// sideCall is one of the programs.
type sideCall struct {
	// build reports whether the program compiles a module.
	build bool
	// group is its process group, 0 until it is started.
	group int
	// behind reports whether other builds have priority.
	behind bool
}

// begin adds a call. If it is the only one, begin makes this process the parent of processes
// that its children leave running, so that those of a build can be found again.
func (c *Calls) begin(build bool) *sideCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 0 {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	call := &sideCall{build: build}
	c.running = append(c.running, call)
	return call
}

// started records the process group of a call.
func (c *Calls) started(call *sideCall, group int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call.group = group
	c.arrange()
}

// end removes a call. After the last one, it waits for children that have ended: no call does.
func (c *Calls) end(call *sideCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = slices.DeleteFunc(c.running, func(other *sideCall) bool { return other == call })
	if len(c.running) == 0 {
		for _, pid := range endedChildren() {
			collect(pid)
		}
	}
	c.arrange()
}

// arrange lowers the priority of all builds but the first, and raises that of the first.
func (c *Calls) arrange() {
	if c.canRaise == nil {
		c.canRaise = sync.OnceValue(canRaisePriority)
	}
	first := true
	for _, call := range c.running {
		behind := call.build && !first && c.canRaise()
		first = first && !call.build
		if call.group == 0 || call.behind == behind {
			continue
		}
		call.behind = behind
		nice := ownNice()
		if behind {
			nice = lowestNice
		}
		_ = unix.Setpriority(unix.PRIO_PGRP, call.group, nice) // it may have ended
	}
}

// lowestNice is the nice value of the lowest priority, see setpriority(2).
const lowestNice = 19

// ownNice returns the nice value of this process.
func ownNice() int {
	const offset = 20 // the system call returns 20 minus the nice value
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return offset - priority
}

// canRaisePriority reports whether this process may lower a nice value. Within a user namespace
// a capability is not enough, so this is tried, on the current thread only.
func canRaisePriority() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	nice := ownNice()
	if unix.Setpriority(unix.PRIO_PROCESS, 0, nice-1) != nil {
		return false
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, nice) == nil
}

// limit returns a context that is cancelled with ErrTimeout when a call has used up its time.
// What other calls take away from it is not counted: on a machine that is slow enough, two
// builds of half an hour take an hour side by side, and neither is endless.
func (c *Calls) limit(ctx context.Context, call *sideCall, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		const parts = 100
		tick := time.NewTicker(max(timeout/parts, time.Millisecond))
		defer tick.Stop()
		for last, left := time.Now(), timeout; left > 0; {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				left -= time.Duration(float64(now.Sub(last)) * c.share(call))
				last = now
			}
		}
		cancel(ErrTimeout)
	}()
	return ctx, func() { cancel(nil) }
}

// share returns what part of the processors' time a call has at least, between 0 and 1. A build
// behind another one has 0. One before others has half, which is less than what the nice values
// give it.
func (c *Calls) share(call *sideCall) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	const beforeOthers = 0.5
	switch {
	case call.behind:
		return 0
	case slices.ContainsFunc(c.running, func(other *sideCall) bool { return other.behind }):
		return beforeOthers
	}
	return 1 / float64(max(len(c.running), 1))
}
