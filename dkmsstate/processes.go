package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dkmsRunning reports whether a dkms runs that does not hold our lock, as when a person calls
// it. What looks like leftovers may be its work then. The hooks of this project have the
// process name dkms too, but no shell runs them.
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
