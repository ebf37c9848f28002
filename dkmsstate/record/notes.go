package record

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

// NoteUnfinished notes that work on a kernel is about to begin, has failed or is deferred. It
// needs no lock. A note of deferred work does not replace one of work that was begun. keeping
// reports whether the work brings in no module that was not installed on the kernel.
func NoteUnfinished(l dkmsstate.Layout, kernel dkmsstate.Release, why dkmsstate.Unfinished, keeping bool) error {
	note := dkmsstate.UnfinishedNote{Why: why, Keeping: keeping}
	if why == dkmsstate.Interrupted {
		note.By = dkmsstate.ProcessMark(os.Getpid())
	}
	return noteUnfinished(l, kernel, note)
}

// NoteFailed notes that work on a kernel was begun and failed, and why.
func NoteFailed(l dkmsstate.Layout, kernel dkmsstate.Release, why error, keeping bool) error {
	return noteUnfinished(l, kernel, dkmsstate.UnfinishedNote{Why: dkmsstate.Failed, Keeping: keeping, Reason: why.Error()})
}

func noteUnfinished(l dkmsstate.Layout, kernel dkmsstate.Release, note dkmsstate.UnfinishedNote) error {
	before := l.Unfinished(kernel)
	if note.Why == dkmsstate.Deferred && before.Why != "" && (note.Keeping || before.Begun()) {
		return nil
	}
	note.Keeping = note.Keeping && !before.InFull()
	// An incomplete note counts as Interrupted.
	if err := writeNote(l, dkmsstate.UnfinishedDir, string(kernel), note.Text()); err != nil {
		return fmt.Errorf("cannot write the note of unfinished work: %w", err)
	}
	return nil
}

// NoteDone removes the note after the work is done.
func NoteDone(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dkmsstate.UnfinishedDir, string(kernel)))
}

// NoteOwed notes in a directory, InitramfsDir or TransactionDir, what is owed to a kernel because
// modules with these names were changed. The note stays until NoteOwedDone, however the run ends.
// Names that another run has noted are kept. The run that changes modules and the one that updates
// the initramfs hold different locks, so the notes are read and written under a third one.
func NoteOwed(l dkmsstate.Layout, dir string, kernel dkmsstate.Release, names []string) error {
	_, err := noteOwed(l, dir, kernel, names)
	return err
}

// TakeOver notes that the caller does what is owed to a kernel, for which there is a note. It
// returns the new note.
func TakeOver(l dkmsstate.Layout, dir string, kernel dkmsstate.Release) (dkmsstate.OwedNote, error) {
	return noteOwed(l, dir, kernel, nil)
}

func noteOwed(l dkmsstate.Layout, dir string, kernel dkmsstate.Release, names []string) (note dkmsstate.OwedNote, err error) {
	err = alone(l, func() error {
		owed, _ := l.Owed(dir, kernel)
		names = slices.Concat(owed.Names, names)
		slices.Sort(names)
		lines := append([]string{dkmsstate.ProcessMark(os.Getpid()) + " " + rand.Text()}, slices.Compact(names)...)
		if err := replaceOwn(l, filepath.Join(dir, string(kernel)), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
			return err
		}
		note, _ = l.Owed(dir, kernel)
		return nil
	})
	if err != nil {
		return note, fmt.Errorf("cannot write the note of what is owed to a kernel: %w", err)
	}
	return note, nil
}

// NoteOwedFailed adds to the note owed why the attempt failed, unless another run has written its
// own since. The reason is appended, so that the names are never lost.
func NoteOwedFailed(l dkmsstate.Layout, dir string, kernel dkmsstate.Release, owed dkmsstate.OwedNote, why error) error {
	err := alone(l, func() error {
		if now, there := l.Owed(dir, kernel); !there || now.ID != owed.ID {
			return nil
		}
		own, err := OpenOwn(l, dir)
		if err != nil {
			return err
		}
		defer own.Close()
		file, err := own.Open(string(kernel), unix.O_WRONLY|unix.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = file.WriteString(dkmsstate.ReasonLine(why.Error()))
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return fmt.Errorf("cannot note why an attempt failed: %w", err)
	}
	return nil
}

// NoteOwedDone removes the note owed, unless another run has written its own since.
func NoteOwedDone(l dkmsstate.Layout, dir string, kernel dkmsstate.Release, owed dkmsstate.OwedNote) error {
	return alone(l, func() error {
		if now, there := l.Owed(dir, kernel); there && now.ID != owed.ID {
			return nil
		}
		return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), dir, string(kernel)))
	})
}
