package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// UnfinishedDir contains a file for each kernel with work that was begun or deferred and is not
// finished yet. InitramfsDir contains one for each kernel whose initramfs may need an update.
const (
	UnfinishedDir = "unfinished"
	InitramfsDir  = "initramfs"
)

// Unfinished is why the work on a kernel is not finished.
type Unfinished string

// Interrupted means that work was begun, and that the run that did so was interrupted. Deferred
// means that the work was postponed because another run held the lock for too long. Initramfs
// means that the modules are in order, and that the initramfs may still contain the old ones.
const (
	Interrupted Unfinished = "interrupted"
	Deferred    Unfinished = "postponed"
	Initramfs   Unfinished = "initramfs"
)

// KeepingMark is the second line of a note about work that brings in no module.
const KeepingMark = "keep"

// Unfinished returns why the work on a kernel is not finished, or "" if it is. A note that
// cannot be understood counts as Interrupted.
func (l Layout) Unfinished(kernel Release) Unfinished {
	why, _ := l.readUnfinished(kernel)
	if _, owed := l.InitramfsNoted(kernel); why == "" && owed {
		return Initramfs
	}
	return why
}

// UnfinishedInFull reports whether the unfinished work is to bring in every module.
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

// AllUnfinished returns the kernels that have a note.
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

// InitramfsNote is a note of record.NoteInitramfs. Names are the modules that were changed.
// Note is the whole text, which distinguishes it from a later note.
type InitramfsNote struct {
	Names []string
	Note  string
}

// InitramfsNoted returns the note of record.NoteInitramfs, and reports whether there is one.
func (l Layout) InitramfsNoted(kernel Release) (InitramfsNote, bool) {
	data, err := regular.ReadFile(filepath.Join(l.Path(StateDir), InitramfsDir, string(kernel)))
	if err != nil {
		return InitramfsNote{}, false
	}
	_, names, _ := strings.Cut(string(data), "\n")
	return InitramfsNote{Names: strings.Fields(names), Note: string(data)}, true
}
