package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

// requestFile exists while a reconcile is requested.
const requestFile = "reconcile"

// RequestReconcile notes that a reconcile is to follow. It needs no lock.
func RequestReconcile(l dkmsstate.Layout) error {
	if err := writeNote(l, "", requestFile, ""); err != nil {
		return fmt.Errorf("cannot write the request for a reconcile: %w", err)
	}
	return nil
}

// writeNote writes a note into the hooks' own directory or a subdirectory of it. It writes in
// place, since without the lock its temporary file could be that of another run.
func writeNote(l dkmsstate.Layout, sub, name, text string) error {
	dir, err := OpenOwn(l, sub)
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

// RequestDone removes the note when the reconcile begins.
func RequestDone(l dkmsstate.Layout) error {
	return removeNote(filepath.Join(l.Path(dkmsstate.StateDir), requestFile))
}

func removeNote(path string) error {
	if err := removeIfThere(path); err != nil {
		return fmt.Errorf("cannot remove the note of finished work: %w", err)
	}
	return nil
}

// removeIfThere removes a file. That it does not exist is no error.
func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
