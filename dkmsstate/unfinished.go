package dkmsstate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/regular"
)

// unfinishedDir holds a file for each kernel for which work was begun, or put off, and
// not finished yet; initramfsDir one for each whose initramfs is to be looked at.
const (
	unfinishedDir = "pending"
	initramfsDir  = "initramfs"
)

// requestFile is there while a reconcile is asked for.
const requestFile = "reconcile"

// RequestReconcile notes that a reconcile is to follow. It needs no lock.
func (l Layout) RequestReconcile() error {
	if err := l.writeNote("", requestFile, ""); err != nil {
		return fmt.Errorf("cannot note that a reconcile is to follow: %w", err)
	}
	return nil
}

// writeNote writes a note into a directory of the hooks' own. It is written in place, since
// without the lock a temporary file would be in the way of another's.
func (l Layout) writeNote(sub, name, text string) error {
	dir, err := l.openOwn(sub)
	if err != nil {
		return err
	}
	defer dir.Close()
	file, err := dir.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, dir.SyncFile(file), file.Close(), dir.Sync())
}

// RequestDone removes the note, since the reconcile begins.
func (l Layout) RequestDone() error { return removeNote(filepath.Join(l.Path(stateDir), requestFile)) }

func removeNote(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the note of work that is done: %w", err)
	}
	return nil
}

// Unfinished is why work on a kernel is not finished.
type Unfinished string

// Work was begun, and a run that finds this was preceded by one that was cut off;
// or it was put off, since another run held the lock for too long. Or the modules
// are as they should be, and the initramfs may still hold the old ones.
const (
	Interrupted Unfinished = "begun"
	Deferred    Unfinished = "put off"
	Initramfs   Unfinished = "initramfs"
)

// keepingMark is the second line of a note about work that brings nothing in.
const keepingMark = "keep"

// NoteUnfinished notes that work on a kernel is about to begin, or is put off. It needs no
// lock. What was begun stays so. keeping reports whether the work brings nothing in that
// was not installed on the kernel.
func (l Layout) NoteUnfinished(kernel Release, why Unfinished, keeping bool) error {
	if why == Deferred && l.Unfinished(kernel) != "" && (keeping || l.Unfinished(kernel) == Interrupted) {
		return nil
	}
	text := string(why) + "\n"
	if keeping && !l.UnfinishedInFull(kernel) {
		text += keepingMark + "\n"
	}
	// A note that is not complete counts as interrupted.
	if err := l.writeNote(unfinishedDir, string(kernel), text); err != nil {
		return fmt.Errorf("cannot note the work to be done: %w", err)
	}
	return nil
}

// NoteDone removes the note, since the work is done.
func (l Layout) NoteDone(kernel Release) error {
	return removeNote(filepath.Join(l.Path(stateDir), unfinishedDir, string(kernel)))
}

// Unfinished returns the note of a kernel, "" for none. One that cannot be understood
// counts as begun.
func (l Layout) Unfinished(kernel Release) Unfinished {
	why, _ := l.readUnfinished(kernel)
	if _, owed := l.InitramfsNoted(kernel); why == "" && owed {
		return Initramfs
	}
	return why
}

// UnfinishedInFull reports whether the work that is not finished is to bring in every module.
func (l Layout) UnfinishedInFull(kernel Release) bool {
	why, keeping := l.readUnfinished(kernel)
	return why != "" && !keeping
}

func (l Layout) readUnfinished(kernel Release) (why Unfinished, keeping bool) {
	data, err := regular.ReadFile(filepath.Join(l.Path(stateDir), unfinishedDir, string(kernel)))
	if err != nil {
		return "", false
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	keeping = strings.TrimSpace(rest) == keepingMark
	if strings.TrimSpace(first) == string(Deferred) {
		return Deferred, keeping
	}
	return Interrupted, keeping
}

// AllUnfinished returns the kernels with a note.
func (l Layout) AllUnfinished() []Release {
	var names []string
	for _, dir := range []string{unfinishedDir, initramfsDir} {
		entries, _ := os.ReadDir(filepath.Join(l.Path(stateDir), dir))
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	var kernels []Release
	for _, name := range slices.Compact(names) {
		if kernel, err := ParseRelease(name); err == nil {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}

// InitramfsNote is a note of NoteInitramfs: the names of the modules that were changed. note is
// the whole of it, by which it is known again.
type InitramfsNote struct {
	Names []string
	note  string
}

// NoteInitramfs notes that the initramfs of a kernel is to be looked at, since modules
// of these names were changed. The note lasts until NoteInitramfsDone, whatever ends
// the run; names that another run left there stay in it.
func (l Layout) NoteInitramfs(kernel Release, names []string) error {
	owed, _ := l.InitramfsNoted(kernel)
	names = slices.Concat(owed.Names, names)
	slices.Sort(names)
	lines := append([]string{rand.Text()}, slices.Compact(names)...)
	if err := l.writeOwn(filepath.Join(initramfsDir, string(kernel)), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		return fmt.Errorf("cannot note that the initramfs is to be made: %w", err)
	}
	return nil
}

// InitramfsNoted returns the note of NoteInitramfs, and whether there is one.
func (l Layout) InitramfsNoted(kernel Release) (InitramfsNote, bool) {
	data, err := regular.ReadFile(filepath.Join(l.Path(stateDir), initramfsDir, string(kernel)))
	if err != nil {
		return InitramfsNote{}, false
	}
	_, names, _ := strings.Cut(string(data), "\n")
	return InitramfsNote{Names: strings.Fields(names), note: string(data)}, true
}

// NoteInitramfsDone removes a note, unless another run has written its own meanwhile.
func (l Layout) NoteInitramfsDone(kernel Release, owed InitramfsNote) error {
	if now, there := l.InitramfsNoted(kernel); !there || now.note != owed.note {
		return nil
	}
	return removeNote(filepath.Join(l.Path(stateDir), initramfsDir, string(kernel)))
}
