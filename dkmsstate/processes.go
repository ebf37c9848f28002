package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// dkmsRunning reports whether a dkms runs that is not under our lock, as when a
// person calls it: what looks like remains may be its work then. Programs of ours
// bear the name dkms too, as hooks, but no shell runs them.
func dkmsRunning() bool {
	return atWork(func(pid string) bool {
		if commOf(pid) != "dkms" {
			return false
		}
		program, err := os.Readlink(filepath.Join("/proc", pid, "exe"))
		return err == nil && slices.Contains([]string{"bash", "dash", "sh"}, filepath.Base(program))
	})
}

// atWork reports whether there is such a process.
func atWork(such func(pid string) bool) bool {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	return slices.ContainsFunc(processes, func(path string) bool { return such(filepath.Base(path)) })
}

// commOf returns the name of the program that a process runs (proc_pid_comm(5)), "" when
// there is no such process.
func commOf(pid string) string {
	name, _ := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	return strings.TrimSpace(string(name))
}
