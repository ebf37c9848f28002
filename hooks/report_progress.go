package hooks

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// progress prints the progress of a run. It prints a line for each module whose build begins.
// On a terminal it draws a progress line below them:
//
//	[3/8] v4l2loopback/0.13.2, zfs/2.3.1 … 12 s
//
// Elsewhere, as under apt, it prints a line each minute while a module is built:
//
//	still building zfs/2.3.1 (3 min)
type progress struct {
	report *Report
	total  int
	// mu guards what the ticker reads.
	mu sync.Mutex
	// numbers are the numbers that tasks were given when they began for the first time, by
	// index.
	numbers map[int]int
	ended   int
	running []runningTask
	stopped chan struct{}
	ticker  *sync.WaitGroup
}

// runningTask is a task that has begun and not ended.
type runningTask struct {
	index int
	task  plan.Task
	since time.Time
}

// watch starts printing the progress of that many tasks.
func (r *Report) watch(total int) *progress {
	p := &progress{report: r, total: total, numbers: map[int]int{}, stopped: make(chan struct{}), ticker: new(sync.WaitGroup)}
	switch width := terminalWidth(r.out); {
	case r.quiet:
	case width > 0:
		p.every(time.Second, func() { p.report.draw(p.line(width)) })
	default:
		p.every(time.Minute, p.printRunning)
	}
	return p
}

func (p *progress) begin(i int, t plan.Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.numbers[i] == 0 {
		p.numbers[i] = len(p.numbers) + 1
	}
	p.report.begin(t, p.numbers[i], p.total)
	p.running = append(p.running, runningTask{i, t, time.Now()})
}

// end returns how long the task took. A task that is to be tried again has not ended.
func (p *progress) end(i int, r apply.Result) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Outcome != apply.Again {
		p.ended++
	}
	at := slices.IndexFunc(p.running, func(w runningTask) bool { return w.index == i })
	if at < 0 {
		return 0 // it was never begun
	}
	took := time.Since(p.running[at].since)
	p.running = slices.Delete(p.running, at, at+1)
	return took
}

func (p *progress) stop() {
	close(p.stopped)
	p.ticker.Wait()
	p.report.draw("")
}

// every calls a function periodically until stop. No task begins or ends during a call.
func (p *progress) every(period time.Duration, do func()) {
	p.ticker.Add(1)
	go func() {
		defer p.ticker.Done()
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-p.stopped:
				return
			case <-tick.C:
				p.mu.Lock()
				do()
				p.mu.Unlock()
			}
		}
	}()
}

// printRunning prints which modules have been building for about a minute or longer.
func (p *progress) printRunning() {
	var builds []string
	for _, r := range p.running {
		if took := time.Since(r.since).Round(time.Minute); took > 0 && r.task.Builds() {
			builds = append(builds, fmt.Sprintf("%s (%.0f min)", r.task.Module, took.Minutes()))
		}
	}
	if len(builds) > 0 {
		p.report.infof("still building %s", strings.Join(builds, ", "))
	}
}

// line returns the progress line. It is shorter than the width of the terminal.
func (p *progress) line(width int) string {
	var names []string
	var longest time.Duration
	for _, r := range p.running {
		names = append(names, r.task.Module.String())
		longest = max(longest, time.Since(r.since))
	}
	if len(names) == 0 {
		return ""
	}
	head := fmt.Sprintf("[%d/%d] ", min(p.ended+1, p.total), p.total)
	tail := fmt.Sprintf(" … %.0f s", longest.Seconds())
	middle := []rune(WithoutControls(strings.Join(names, ", ")))
	if room := max(0, width-1-len([]rune(head+tail))); len(middle) > room {
		middle = middle[:room]
	}
	return head + string(middle) + tail
}

// terminalWidth returns the width of the terminal that a progress line can be drawn on, 0 if
// there is none. The terminal that apt gives its maintainer scripts does not count: what is
// drawn on it ends up in apt's log.
func terminalWidth(out *Printable) int {
	file, ok := out.out.(*os.File)
	if !ok || os.Getenv("DPKG_FRONTEND_LOCKED") != "" || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	const usual = 80
	if size.Col == 0 {
		return usual
	}
	return int(size.Col)
}
