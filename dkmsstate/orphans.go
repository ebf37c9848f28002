package dkmsstate

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Calls counts the programs that this process runs side by side. What one of them
// leaves running cannot be told from what another started, so it is ended when the
// last of them ends. None (nil) is for one call at a time.
type Calls struct {
	mu      sync.Mutex
	running int
	// before are the children that were there before: of the shell that this process
	// was before it called exec, and somebody else's.
	before []int
}

// begin makes this process the parent of whatever its children leave running, so that
// it can be found again: a module's script that starts a daemon would keep the lock
// with it for good.
func (c *Calls) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
		c.before = children()
	}
	c.running++
}

func (c *Calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 {
		endOrphans(c.before)
	}
}

// limit returns a context that ends with errTimeout when a call has had its time. Of the
// time that calls run side by side each has its share: on a machine that is slow enough, two
// builds of half an hour take an hour beside each other, and neither is endless.
func (c *Calls) limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
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
				left -= now.Sub(last) / time.Duration(max(c.count(), 1))
				last = now
			}
		}
		cancel(errTimeout)
	}()
	return ctx, func() { cancel(nil) }
}

func (c *Calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

// endOrphans ends what the children of this process left running, and what those
// leave in turn.
func endOrphans(before []int) {
	const attempts = 100
	for range attempts {
		orphans := slices.DeleteFunc(children(), func(pid int) bool { return slices.Contains(before, pid) })
		if len(orphans) == 0 {
			return
		}
		for _, pid := range orphans {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		time.Sleep(time.Millisecond)
	}
}

// children gives the children of this process, by what /proc says.
func children() []int {
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
