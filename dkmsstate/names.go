package dkmsstate

import (
	"slices"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/nofollow"
)

// BackupName is what MODULE/VERSION/KVER is called between a removal's prerm and
// the end of that run of dpkg. Nobody can tell in prerm whether the removal will
// be aborted, and the headers may be gone by then.
func BackupName(kernel Release) string { return ".backup-" + string(kernel) }

// DepmodBackup is where the files of depmod are kept while it runs. On a full disk
// depmod puts truncated ones into place (kmod 30 and 34), and a kernel without its
// modules.dep.bin finds none of its modules.
const DepmodBackup = ".dkms-hooks"

// LeftByDepmod reports whether a name is one under which a depmod was writing that runs
// no more. In another root than the running system's none is looked for by its name
// alone: it would be this system's.
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

// DepmodTemp reports whether a name is one that depmod writes under, and which process
// it names, if any: modules.dep.PID.MICROSECONDS.SECONDS from kmod 26 to 34, tmpfile and
// six random letters after that (depmod_output in tools/depmod.c). A name that only
// resembles them may be somebody's copy.
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

// DepmodFiles are the files that depmod(8) writes into a kernel's directory.
func DepmodFiles() []string {
	return []string{
		"modules.alias", "modules.alias.bin", "modules.builtin.alias.bin", "modules.builtin.bin", "modules.dep",
		"modules.dep.bin", "modules.devname", "modules.softdep", "modules.symbols", "modules.symbols.bin", "modules.weakdep",
	}
}

// depmodPendingPrefix begins the name of the file by which dkms 3.2 notes that it owes
// a kernel a depmod: depmod-pending-KVER-ARCH in the tree. A dkms that is killed,
// or that was called with --no-depmod, leaves it behind.
const depmodPendingPrefix = "depmod-pending-"

// DepmodPending returns those among the names of files at the top of the tree that are
// such notes of this kernel.
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

// ScratchPrefix begins the names in MODULE/VERSION/KVER that dkms (3.1.7 and later)
// builds in.
const ScratchPrefix = ".tmp_"

// IsScratch reports whether a name in MODULE/VERSION/KVER is of something that is being
// made or removed.
func IsScratch(name string) bool {
	return strings.HasPrefix(name, ScratchPrefix) || name == nofollow.PartialMark
}

// PreviousName is what MODULE/VERSION/KVER is called while a build that no longer fits is
// made anew. What is installed stays where it is meanwhile. As long as a directory
// has this name the new build is not to be trusted: RollBack brings the old one back.
func PreviousName(kernel Release) string { return ".old-" + string(kernel) }

// TrashName is what MODULE/VERSION/KVER is renamed to while it is removed. The
// dot keeps it out of dkms's own globs.
func TrashName(kernel Release) string { return ".unbuild-" + string(kernel) }
