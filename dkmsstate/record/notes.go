package record

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
)

// NoteUnfinished notes that work on a kernel is about to begin or is deferred. It needs no
// lock. A note of deferred work does not replace one of work that was begun. keeping reports
// whether the work brings in no module that was not installed on the kernel.
func NoteUnfinished(l dkmsstate.Layout, kernel dkmsstate.Release, why dkmsstate.Unfinished, keeping bool) error {
	if why == dkmsstate.Deferred && l.Unfinished(kernel) != "" && (keeping || l.Unfinished(kernel) == dkmsstate.Interrupted) {
		return nil
	}
	text := string(why) + "\n"
	if keeping && !l.UnfinishedInFull(kernel) {
		text += dkmsstate.KeepingMark + "\n"
	}
	// An incomplete note counts as Interrupted.
	if err := writeNote(l, dkmsstate.UnfinishedDir, string(kernel), text); err != nil {
		return fmt.Errorf("cannot write the note of unfinished work: %w", err)
	}
	return nil
}

// NoteDone removes the note after the work is done.
func NoteDone(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.UnfinishedDir, string(kernel)))
}

// NoteInitramfs notes that the initramfs of a kernel may need an update because modules with
// these names were changed. The note stays until NoteInitramfsDone, however the run ends. Names
// that another run has noted are kept.
func NoteInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release, names []string) error {
	owed, _ := l.InitramfsNoted(kernel)
	names = slices.Concat(owed.Names, names)
	slices.Sort(names)
	lines := append([]string{rand.Text()}, slices.Compact(names)...)
	if err := writeOwn(l, filepath.Join(dkmsstate.InitramfsDir, string(kernel)), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		return fmt.Errorf("cannot write the note that the initramfs needs an update: %w", err)
	}
	return nil
}

// NoteInitramfsDone removes the note owed, unless another run has written its own since.
func NoteInitramfsDone(l dkmsstate.Layout, kernel dkmsstate.Release, owed dkmsstate.InitramfsNote) error {
	if now, there := l.InitramfsNoted(kernel); !there || now.Note != owed.Note {
		return nil
	}
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.InitramfsDir, string(kernel)))
}
