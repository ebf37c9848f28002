package dkmsstate

import (
	"slices"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/nofollow"
)

// BackupName returns what MODULE/VERSION/KVER is renamed to between a removal's prerm and the
// end of that run of dpkg. In prerm it is unknown whether the removal will be aborted, and
// after that the headers may be gone.
func BackupName(kernel Release) string { return ".backup-" + string(kernel) }

// DepmodBackup is the directory with copies of the files of depmod while it runs. On a full
// disk depmod puts truncated files into place (kmod 30 and 34), and a kernel without its
// modules.dep.bin finds none of its modules.
const DepmodBackup = ".dkms-hooks"

// LeftByDepmod reports whether a name is a temporary name of a depmod that no longer runs. If
// the name does not contain a process number, any running depmod may be its writer. In another
// root than that of the running system such a depmod is not looked for, since it would work for
// this system.
func LeftByDepmod(l Layout, name string) bool {
	pid, ok := DepmodTemp(name)
	switch {
	case !ok:
		return false
	case pid == "":
		return l.Root != "/" || !atWork(isDepmod)
	}
	return !isDepmod(pid)
}

func isDepmod(pid string) bool { return commOf(pid) == "depmod" }

// DepmodTemp reports whether a name is a temporary name of depmod. It returns the process
// number in it, if any. The names are modules.dep.PID.MICROSECONDS.SECONDS from kmod 26 to 34,
// and tmpfile with six random characters after that (depmod_output in tools/depmod.c). A name
// that only resembles them may be somebody's copy.
func DepmodTemp(name string) (pid string, ok bool) {
	if random, ok := strings.CutPrefix(name, "tmpfile"); ok {
		return "", len(random) == 6 && strings.IndexFunc(random, func(r rune) bool {
			return !('0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
		}) < 0
	}
	parts := strings.Split(name, ".")
	if len(parts) < 4 {
		return "", false
	}
	file, numbers := strings.Join(parts[:len(parts)-3], "."), parts[len(parts)-3:]
	for _, number := range numbers {
		if _, err := strconv.ParseUint(number, 10, 63); err != nil {
			return "", false
		}
	}
	const million, billion = 6, 10 // digits of microseconds, and of the present time in seconds
	plausible := len(numbers[1]) <= million && len(numbers[2]) >= billion
	return numbers[0], plausible && slices.Contains(DepmodFiles(), file)
}

// DepmodFiles returns the names of the files that depmod(8) writes into a kernel's directory.
func DepmodFiles() []string {
	return []string{
		"modules.alias", "modules.alias.bin", "modules.builtin.alias.bin", "modules.builtin.bin", "modules.dep",
		"modules.dep.bin", "modules.devname", "modules.softdep", "modules.symbols", "modules.symbols.bin", "modules.weakdep",
	}
}

// depmodPendingPrefix begins the name of the file by which dkms 3.2 notes that a kernel still
// needs a depmod: depmod-pending-KVER-ARCH in the DKMS tree. A dkms that is killed, or that was
// called with --no-depmod, leaves it behind.
const depmodPendingPrefix = "depmod-pending-"

// DepmodPending returns those of names that are such notes for this kernel. names are the files
// at the top of the DKMS tree.
func DepmodPending(kernel Release, names []string) []string {
	var notes []string
	for _, name := range names {
		arch, ok := strings.CutPrefix(name, depmodPendingPrefix+string(kernel)+"-")
		if ok && arch != "" && !strings.Contains(arch, "-") {
			notes = append(notes, name)
		}
	}
	return notes
}

// ScratchPrefix begins the names of the directories in MODULE/VERSION/KVER in which dkms (3.1.7
// and later) builds.
const ScratchPrefix = ".tmp_"

// IsScratch reports whether a name in MODULE/VERSION/KVER is that of something that is being
// created or removed.
func IsScratch(name string) bool {
	return strings.HasPrefix(name, ScratchPrefix) || name == nofollow.PartialMark
}

// PreviousName returns what MODULE/VERSION/KVER is renamed to while a build that no longer fits
// is rebuilt. The installed files stay in place meanwhile. As long as a directory has this
// name, the new build is not to be trusted: RollBack of apply.Tree restores the old one.
func PreviousName(kernel Release) string { return ".old-" + string(kernel) }

// TrashName returns what MODULE/VERSION/KVER is renamed to while it is removed. The globs of
// dkms do not match a name with a leading dot.
func TrashName(kernel Release) string { return ".unbuild-" + string(kernel) }
