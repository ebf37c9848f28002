package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// UnfinishedDir holds a file for each kernel for which work was begun, or postponed, and
// not finished yet; InitramfsDir one for each whose initramfs is to be looked at.
const (
	UnfinishedDir = "unfinished"
	InitramfsDir  = "initramfs"
)

// Unfinished is why work on a kernel is not finished.
type Unfinished string

// Work was begun, and a run that finds this was preceded by one that was cut off;
// or it was postponed, since another run held the lock for too long. Or the modules
// are as they should be, and the initramfs may still hold the old ones.
const (
	Interrupted Unfinished = "interrupted"
	Deferred    Unfinished = "postponed"
	Initramfs   Unfinished = "initramfs"
)

// KeepingMark is the second line of a note about work that brings nothing in.
const KeepingMark = "keep"

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
	data, err := regular.ReadFile(filepath.Join(l.Path(StateDir), UnfinishedDir, string(kernel)))
	if err != nil {
		return "", false
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	keeping = strings.TrimSpace(rest) == KeepingMark
	if strings.TrimSpace(first) == string(Deferred) {
		return Deferred, keeping
	}
	return Interrupted, keeping
}

// AllUnfinished returns the kernels with a note.
func (l Layout) AllUnfinished() []Release {
	var names []string
	for _, dir := range []string{UnfinishedDir, InitramfsDir} {
		entries, _ := os.ReadDir(filepath.Join(l.Path(StateDir), dir))
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
	Note  string
}

// InitramfsNoted returns the note of NoteInitramfs, and whether there is one.
func (l Layout) InitramfsNoted(kernel Release) (InitramfsNote, bool) {
	data, err := regular.ReadFile(filepath.Join(l.Path(StateDir), InitramfsDir, string(kernel)))
	if err != nil {
		return InitramfsNote{}, false
	}
	_, names, _ := strings.Cut(string(data), "\n")
	return InitramfsNote{Names: strings.Fields(names), Note: string(data)}, true
}
