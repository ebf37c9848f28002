package dkms

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Calls are the programs that this process runs side by side. What one of them leaves
// running cannot be told from what another started, so it is ended when the last of
// them ends. None (nil) is for one call at a time.
//
// Of builds the one that began first has the processors before the others, as far as it can
// use them: they begin with the longest, and one that works on a single processor for long
// (a configure) would have one share among all the compilers of the others. What is no build
// is short, and others may wait for it.
type Calls struct {
	mu sync.Mutex
	// running are in the order in which they began.
	running []*sideCall
	// before are the children that were there before: of the shell that this process
	// was before it called exec, and somebody else's.
	before []int
	// canRaise is asked before the first is put behind: without CAP_SYS_NICE none would
	// come to the front again.
	canRaise func() bool
}

// sideCall is one of the programs.
type sideCall struct {
	// build reports whether it compiles.
	build bool
	// group is its process group, 0 until it is started.
	group int
	// behind reports whether the others have the processors before it.
	behind bool
}

// begin makes this process the parent of whatever its children leave running, so that
// it can be found again: a module's script that starts a daemon would keep the lock
// with it for good.
func (c *Calls) begin(build bool) *sideCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.running) == 0 {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
		c.before = children()
	}
	call := &sideCall{build: build}
	c.running = append(c.running, call)
	return call
}

// started notes the process group of a call.
func (c *Calls) started(call *sideCall, group int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call.group = group
	c.arrange()
}

func (c *Calls) end(call *sideCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = slices.DeleteFunc(c.running, func(other *sideCall) bool { return other == call })
	if len(c.running) == 0 {
		reap(c.before)
	}
	c.arrange()
}

// arrange puts all builds but the first behind it.
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

// lowestNice is the nice value of what yields to everything, see setpriority(2).
const lowestNice = 19

// ownNice returns the nice value of this process.
func ownNice() int {
	const offset = 20 // the system call returns 20 less the nice value
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return offset - priority
}

// canRaisePriority reports whether this process may lower a nice value. A capability says
// little within a user namespace: it is tried, with a thread and by one.
func canRaisePriority() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	nice := ownNice()
	if unix.Setpriority(unix.PRIO_PROCESS, 0, nice-1) != nil {
		return false
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, nice) == nil
}

// limit returns a context that ends with ErrTimeout when a call has had its time. What
// others take away from it is not counted: on a machine that is slow enough, two builds of
// half an hour take an hour beside each other, and neither is endless.
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

// share returns what part of the processors' time a call has at least, of 1: nothing behind
// another, and half before such, which is less than what nice values give it.
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
