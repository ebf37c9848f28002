package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pendingDir holds a file for each kernel for which work was begun, or put off, and
// not finished yet.
const pendingDir = "pending"

// Pending is why work on a kernel is not finished.
type Pending string

// Work was begun, and a run that finds this was preceded by one that was cut off;
// or it was put off, since another run held the lock for too long.
const (
	Begun  Pending = "begun"
	PutOff Pending = "put off"
)

// Pend notes that work on a kernel is about to begin, or is put off. It needs no
// lock. What was begun stays so.
func (l Layout) Pend(kernel Release, why Pending) error {
	if why == PutOff && l.Pending(kernel) == Begun {
		return nil
	}
	if err := l.writeOwn(filepath.Join(pendingDir, string(kernel)), []byte(why+"\n")); err != nil {
		return fmt.Errorf("cannot note the work to be done: %w", err)
	}
	return nil
}

// Settle removes the note, since the work is done.
func (l Layout) Settle(kernel Release) error {
	err := os.Remove(filepath.Join(l.Path(lockDir), pendingDir, string(kernel)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot note that the work is done: %w", err)
	}
	return nil
}

// Pending gives the note of a kernel, "" for none. One that cannot be understood
// counts as begun.
func (l Layout) Pending(kernel Release) Pending {
	data, err := readRegular(filepath.Join(l.Path(lockDir), pendingDir, string(kernel)))
	switch {
	case err != nil:
		return ""
	case strings.TrimSpace(string(data)) == string(PutOff):
		return PutOff
	}
	return Begun
}

// AllPending gives the kernels with a note.
func (l Layout) AllPending() []Release {
	entries, _ := os.ReadDir(filepath.Join(l.Path(lockDir), pendingDir))
	var kernels []Release
	for _, entry := range entries {
		if kernel, err := ParseRelease(entry.Name()); err == nil {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}
