package dkmsstate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// dkmsRunning reports whether a dkms runs that does not hold our lock, as when a person calls
// it. What looks like leftovers may be its work then. A hook of this project is such a shell for
// an instant, until it executes the program: then what is left over waits for the next run.
func dkmsRunning() bool {
	return atWork(func(pid string) bool {
		if commOf(pid) != "dkms" {
			return false
		}
		program, err := os.Readlink(filepath.Join("/proc", pid, "exe"))
		return err == nil && slices.Contains([]string{"bash", "dash", "sh"}, filepath.Base(program))
	})
}

// atWork reports whether there is a process for which such returns true.
func atWork(such func(pid string) bool) bool {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	return slices.ContainsFunc(processes, func(path string) bool { return such(filepath.Base(path)) })
}

// commOf returns the name of the program that a process runs (proc_pid_comm(5)), or "" if there
// is no such process.
func commOf(pid string) string {
	name, _ := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	return strings.TrimSpace(string(name))
}

// ProcessMark identifies a process until the next boot, by its number and its start time. It
// returns "" if /proc does not show them.
func ProcessMark(pid int) string {
	fields := ProcessStat(pid)
	const start = 21 - 2 // starttime, counted from the state (proc_pid_stat(5))
	if len(fields) <= start {
		return ""
	}
	return fmt.Sprintf("%d-%s-", pid, fields[start])
}

// Alive reports whether the process with this ProcessMark is running. Every user may ask. It
// reports false if the process is not visible, as from another container.
func Alive(mark string) bool {
	number, _, _ := strings.Cut(mark, "-")
	pid, err := strconv.Atoi(number)
	if err != nil || ProcessMark(pid) != mark {
		return false
	}
	return !Ended(pid)
}

// Ended reports whether a process has ended, although it may not have been waited for.
func Ended(pid int) bool {
	fields := ProcessStat(pid)
	return len(fields) == 0 || fields[0] == "Z" || fields[0] == "X"
}

// ProcessStat returns the fields of /proc/PID/stat from the state on, which follows the
// name in parentheses.
func ProcessStat(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
}
