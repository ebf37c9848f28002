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

// NoteInitramfs notes that the initramfs of a kernel may need an update because modules with
// these names were changed. The note stays until NoteInitramfsDone, however the run ends. Names
// that another run has noted are kept. The run that changes modules and the one that updates the
// initramfs hold different locks, so the notes are read and written under a third one.
func NoteInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release, names []string) error {
	_, err := noteInitramfs(l, kernel, names)
	return err
}

// TakeOverInitramfs notes that the caller updates the initramfs, for which there is a note. It
// returns the new note.
func TakeOverInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release) (dkmsstate.InitramfsNote, error) {
	return noteInitramfs(l, kernel, nil)
}

func noteInitramfs(l dkmsstate.Layout, kernel dkmsstate.Release, names []string) (note dkmsstate.InitramfsNote, err error) {
	err = alone(l, func() error {
		owed, _ := l.InitramfsNoted(kernel)
		names = slices.Concat(owed.Names, names)
		slices.Sort(names)
		lines := append([]string{dkmsstate.ProcessMark(os.Getpid()) + " " + rand.Text()}, slices.Compact(names)...)
		if err := replaceOwn(l, initramfsNote(kernel), []byte(strings.Join(lines, "\n")+"\n")); err != nil {
			return err
		}
		note, _ = l.InitramfsNoted(kernel)
		return nil
	})
	if err != nil {
		return note, fmt.Errorf("cannot write the note that the initramfs needs an update: %w", err)
	}
	return note, nil
}

// NoteInitramfsFailed adds to the note owed why the initramfs could not be updated, unless
// another run has written its own since. The reason is appended, so that the names are never
// lost.
func NoteInitramfsFailed(l dkmsstate.Layout, kernel dkmsstate.Release, owed dkmsstate.InitramfsNote, why error) error {
	err := alone(l, func() error {
		if now, there := l.InitramfsNoted(kernel); !there || now.ID != owed.ID {
			return nil
		}
		dir, err := OpenOwn(l, dkmsstate.InitramfsDir)
		if err != nil {
			return err
		}
		defer dir.Close()
		file, err := dir.Open(string(kernel), unix.O_WRONLY|unix.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = file.WriteString(dkmsstate.ReasonLine(why.Error()))
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return fmt.Errorf("cannot note why the initramfs is not updated: %w", err)
	}
	return nil
}

// NoteInitramfsDone removes the note owed, unless another run has written its own since.
func NoteInitramfsDone(l dkmsstate.Layout, kernel dkmsstate.Release, owed dkmsstate.InitramfsNote) error {
	return alone(l, func() error {
		if now, there := l.InitramfsNoted(kernel); there && now.ID != owed.ID {
			return nil
		}
		return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), initramfsNote(kernel)))
	})
}

// initramfsNote returns the name of the note in the hooks' own directory.
func initramfsNote(kernel dkmsstate.Release) string {
	return filepath.Join(dkmsstate.InitramfsDir, string(kernel))
}
