package debpkg

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/boottime"
)

// RunID identifies the run of dpkg that this process is part of. It returns "" if none of its
// ancestors is dpkg or /proc does not show them. All processes that the same dpkg started,
// through any number of shells, get the same result. No other run ever gets it: it consists of
// the boot ID, and dpkg's process number and start time (proc(5)).
func RunID() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	pid, p, ok := findDpkg()
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s %d %d", strings.TrimSpace(string(boot)), pid, p.started)
}

// findDpkg finds the nearest ancestor of this process that is dpkg.
func findDpkg() (int, process, bool) {
	for pid := os.Getppid(); pid > 0; {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			break
		}
		p, err := parseStat(string(data))
		if err != nil {
			break
		}
		if p.name == "dpkg" {
			return pid, p, true
		}
		pid = p.parent
	}
	return 0, process{}, false
}

// RunStarted returns when the run of dpkg began that this process is part of, or the zero time
// without one. frontend reports whether another program, such as apt, calls dpkg for several
// steps (DPKG_FRONTEND_LOCKED). The run is then that of the other program.
func RunStarted(frontend bool) time.Time {
	_, p, ok := findDpkg()
	if !ok {
		return time.Time{}
	}
	if frontend {
		if data, err := os.ReadFile("/proc/" + strconv.Itoa(p.parent) + "/stat"); err == nil {
			if above, err := parseStat(string(data)); err == nil {
				p = above
			}
		}
	}
	boot, known := boottime.At("/")
	if !known {
		return time.Time{}
	}
	const perSecond, rounding = 100, 2 * time.Second // USER_HZ; btime is in whole seconds
	return boot.Add(time.Duration(p.started) * time.Second / perSecond).Add(-rounding)
}

// process is what /proc/PID/stat contains about a process.
type process struct {
	name    string
	parent  int
	started uint64
}

// parseStat parses the contents of /proc/PID/stat. The name is in parentheses and may contain
// any character, including parentheses.
func parseStat(stat string) (process, error) {
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return process{}, fmt.Errorf("cannot parse %q: it has no name", stat)
	}
	const parent, started = 1, 19 // fields 4 and 22, counted from the one after the name
	fields := strings.Fields(stat[end+1:])
	if len(fields) <= started {
		return process{}, fmt.Errorf("cannot parse %q: it has too few fields", stat)
	}
	p := process{name: stat[open+1 : end]}
	var err error
	if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return process{}, fmt.Errorf("cannot parse the parent: %w", err)
	}
	if p.started, err = strconv.ParseUint(fields[started], 10, 64); err != nil {
		return process{}, fmt.Errorf("cannot parse the start time: %w", err)
	}
	return p, nil
}
