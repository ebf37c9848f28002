package record

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate"
)

// RunVariable is the environment variable with the mark of a run. Everything that the run
// starts has it.
const RunVariable = "DKMS_HOOKS_RUN"

// Below reports whether the caller was started by a run that holds a lock and waits for the
// caller: for example by a module's POST_INSTALL, or by update-initramfs(8) with systemd-boot
// (/etc/initramfs/post-update.d, kernel-install(8), dkms's 40-dkms.install). Such a hook must
// not wait for that lock.
//
// The lock itself is the proof. It is held, and the mark that its holder wrote into its file is
// in the caller's environment, or begins with the mark of one of the caller's ancestors. An
// environment that was copied or that outlived its run proves nothing. Nor does one of another
// root, whose lock is another file. The ancestors are for programs that clear the environment.
// A process that is re-parented becomes a child of the run (see dkms.Calls).
func Below(l dkmsstate.Layout, environ []string) bool {
	for _, name := range []string{mainLock, initramfsLock} {
		if below(l, name, environ) {
			return true
		}
	}
	return false
}

func below(l dkmsstate.Layout, name string, environ []string) bool {
	file, err := openLock(l, name)
	if err != nil {
		return false
	}
	defer file.Close()
	const longest = 256
	mark, err := io.ReadAll(io.LimitReader(file, longest))
	if err != nil || len(mark) == 0 {
		return false
	}
	inherited := slices.Contains(environ, RunVariable+"="+string(mark)) || slices.ContainsFunc(ancestors(os.Getppid()), func(pid int) bool {
		prefix := dkmsstate.ProcessMark(pid)
		return prefix != "" && strings.HasPrefix(string(mark), prefix)
	})
	return inherited && held(file)
}

// ancestors returns a process and its ancestors.
func ancestors(pid int) []int {
	var pids []int
	for pid > 1 && !slices.Contains(pids, pid) {
		pids = append(pids, pid)
		fields := dkmsstate.ProcessStat(pid)
		const parent = 3 - 2
		if len(fields) <= parent {
			break
		}
		pid, _ = strconv.Atoi(fields[parent])
	}
	return pids
}
