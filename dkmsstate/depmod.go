package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/nofollow"
)

// depmodBackup is where the files of depmod are kept while it runs. On a full disk
// depmod puts truncated ones into place (kmod 30 and 34), and a kernel without its
// modules.dep.bin finds none of its modules.
const depmodBackup = ".dkms-hooks"

// depmod runs depmod for the kernel. When it fails, the files are as they were. Where
// they cannot be secured it runs all the same, as the stock hooks run it, unless there
// is no room for what it writes.
func (m Machine) depmod(ctx context.Context, kernel Release) error {
	dir, err := Tree{Layout: m.Layout, Kernel: kernel}.openKernel()
	if err != nil { // there is a link that is not followed here
		if runErr := m.Engine.Depmod(ctx, kernel); runErr != nil {
			return errors.Join(explain(runErr, ""), fmt.Errorf("its files could not be secured before: %w", err))
		}
		return nil
	}
	defer dir.Close()
	unsecured := backUp(dir)
	if unsecured != nil {
		err := dir.RemoveAll(depmodBackup)
		if nofollow.IsNoSpace(unsecured) && !roomForDepmod(dir) {
			return errors.Join(fmt.Errorf("cannot secure the files of depmod, it was not run: %w", unsecured), err)
		}
	}
	err = m.Engine.Depmod(ctx, kernel)
	switch {
	case err == nil:
		return dir.RemoveAll(depmodBackup)
	case unsecured != nil:
		return errors.Join(explain(err, ""), fmt.Errorf("its files could not be secured before: %w", unsecured), removeDepmodTemps(m.Layout, dir))
	}
	return errors.Join(explain(err, ""), bringBack(m.Layout, dir))
}

// backUp links the files of depmod to second names, or copies them.
func backUp(d *nofollow.Dir) error {
	if err := d.RemoveAll(depmodBackup); err != nil {
		return err
	}
	if err := d.Mkdir(depmodBackup, 0o755); err != nil {
		return err
	}
	backup, err := d.Sub(depmodBackup)
	if err != nil {
		return err
	}
	defer backup.Close()
	for _, name := range depmodFiles() {
		if err := d.LinkOrCopy(name, backup); err != nil && !nofollow.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// bringBack puts the files of depmod back; what was not there before goes, and with
// it what depmod left of those that it was writing.
func bringBack(l Layout, d *nofollow.Dir) error {
	backup, err := d.Sub(depmodBackup)
	if err != nil {
		return fmt.Errorf("cannot bring back the files of depmod: %w", err)
	}
	defer backup.Close()
	for _, name := range depmodFiles() {
		err := backup.MoveFile(name, d, name)
		if nofollow.IsNotExist(err) {
			err = d.RemoveAll(name)
		}
		if err != nil {
			return fmt.Errorf("cannot bring back the files of depmod: %w", err)
		}
	}
	// rename(2) of one name of a file to another does nothing, so that some may stay
	return errors.Join(removeDepmodTemps(l, d), d.RemoveAll(depmodBackup))
}

// removeDepmodTemps removes what a depmod that ended left of the files that it was
// writing.
func removeDepmodTemps(l Layout, d *nofollow.Dir) error {
	names, err := d.Names()
	if err != nil {
		return fmt.Errorf("cannot look for what depmod left: %w", err)
	}
	var left []string
	for _, name := range names {
		if leftByDepmod(l, name) {
			left = append(left, name)
		}
	}
	return removeFiles(d, left)
}

// roomForDepmod reports whether there is room for what depmod writes: one file after
// the other, each in place of an older one.
func roomForDepmod(d *nofollow.Dir) bool {
	free, known := d.Free()
	if !known {
		return true
	}
	need := int64(1 << 20)
	for _, name := range depmodFiles() {
		if st, err := d.Lstat(name); err == nil {
			need = max(need, int64(st.Size)+1<<20)
		}
	}
	return free >= need
}

// leftByDepmod reports whether a name is one under which a depmod was writing that runs
// no more. In another root than the running system's none is looked for by its name
// alone: it would be this system's.
func leftByDepmod(l Layout, name string) bool {
	pid, ok := depmodTemp(name)
	switch {
	case !ok:
		return false
	case pid == "":
		return l.Root != "/" || !atWork(isDepmod)
	}
	return !isDepmod(pid)
}

func isDepmod(pid string) bool { return commOf(pid) == "depmod" }

// depmodTemp reports whether a name is one that depmod writes under, and which process
// it names, if any: modules.dep.PID.MICROSECONDS.SECONDS from kmod 26 to 34, tmpfile and
// six random letters after that (depmod_output in tools/depmod.c). A name that only
// resembles them may be somebody's copy.
func depmodTemp(name string) (pid string, ok bool) {
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
	return numbers[0], plausible && slices.Contains(depmodFiles(), file)
}
