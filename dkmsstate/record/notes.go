package record

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
)

// NoteUnfinished notes that work on a kernel is about to begin, or is put off. It needs no
// lock. What was begun stays so. keeping reports whether the work brings nothing in that
// was not installed on the kernel.
func NoteUnfinished(l dkmsstate.Layout, kernel dkmsstate.Release, why dkmsstate.Unfinished, keeping bool) error {
	if why == dkmsstate.Deferred && l.Unfinished(kernel) != "" && (keeping || l.Unfinished(kernel) == dkmsstate.Interrupted) {
		return nil
	}
	text := string(why) + "\n"
	if keeping && !l.UnfinishedInFull(kernel) {
		text += dkmsstate.KeepingMark + "\n"
	}
	// A note that is not complete counts as interrupted.
	if err := writeNote(l, dkmsstate.UnfinishedDir, string(kernel), text); err != nil {
		return fmt.Errorf("cannot note the work to be done: %w", err)
	}
	return nil
}

// NoteDone removes the note, since the work is done.
func NoteDone(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.UnfinishedDir, string(kernel)))
}

// NoteInitramfs notes that the initramfs of a kernel is to be looked at, since modules
// of these names were changed. The note lasts until NoteInitramfsDone, whatever ends
// the run; names that another run left there stay in it.
func NoteInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release, names []string) error {
	owed, _ := l.InitramfsNoted(kernel)
	names = slices.Concat(owed.Names, names)
	slices.Sort(names)
	lines := append([]string{rand.Text()}, slices.Compact(names)...)
	if err := writeOwn(l, filepath.Join(dkmsstate.InitramfsDir, string(kernel)), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		return fmt.Errorf("cannot note that the initramfs is to be updated: %w", err)
	}
	return nil
}

// NoteInitramfsDone removes a note, unless another run has written its own meanwhile.
func NoteInitramfsDone(l dkmsstate.Layout, kernel dkmsstate.Release, owed dkmsstate.InitramfsNote) error {
	if now, there := l.InitramfsNoted(kernel); !there || now.Note != owed.Note {
		return nil
	}
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.InitramfsDir, string(kernel)))
}
