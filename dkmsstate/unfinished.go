package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// UnfinishedDir contains a file for each kernel with work that was begun or deferred and is not
// finished yet. InitramfsDir contains one for each kernel whose initramfs may need an update, and
// TransactionDir one for each kernel for which post_transaction is to be run.
const (
	UnfinishedDir  = "unfinished"
	InitramfsDir   = "initramfs"
	TransactionDir = "transaction"
)

// Unfinished is why the work on the modules of a kernel is not finished.
type Unfinished string

// Interrupted means that work was begun, and that the run that did so has not ended or was
// interrupted. Failed means that the run ended with an error that is not about one module.
// Deferred means that the work was postponed because another run held the lock for too long.
const (
	Interrupted Unfinished = "interrupted"
	Failed      Unfinished = "failed"
	Deferred    Unfinished = "postponed"
)

// UnfinishedNote is a note of record.NoteUnfinished.
type UnfinishedNote struct {
	// Why is "" if there is no note. A note that cannot be understood counts as Interrupted.
	Why Unfinished
	// Keeping reports whether the work brings in no module that was not installed.
	Keeping bool
	// By is the ProcessMark of the run that began the work.
	By string
	// Reason is the error with which the work failed.
	Reason string
}

// Begun reports whether the work was begun, so that the kernel may need a depmod.
func (n UnfinishedNote) Begun() bool { return n.Why == Interrupted || n.Why == Failed }

// InFull reports whether the unfinished work is to bring in every module.
func (n UnfinishedNote) InFull() bool { return n.Why != "" && !n.Keeping }

// Active reports whether another run is doing the work.
func (n UnfinishedNote) Active() bool { return activeElsewhere(n.By) }

// Text returns the content of the note: a line for each field.
func (n UnfinishedNote) Text() string {
	lines := []string{string(n.Why)}
	if n.Keeping {
		lines = append(lines, keepingLine)
	}
	if n.By != "" {
		lines = append(lines, byPrefix+n.By)
	}
	if n.Reason != "" {
		return strings.Join(lines, "\n") + "\n" + ReasonLine(n.Reason)
	}
	return strings.Join(lines, "\n") + "\n"
}

// ReasonLine returns the line of a note with the reason of a failure.
func ReasonLine(reason string) string { return reasonPrefix + OneLine(reason) + "\n" }

// The lines of notes.
const (
	keepingLine  = "keep"
	byPrefix     = "by "
	reasonPrefix = "reason "
)

// Unfinished returns the note about unfinished work on the modules of a kernel.
func (l Layout) Unfinished(kernel Release) UnfinishedNote {
	data, err := regular.ReadFile(filepath.Join(l.Path(StateDir), UnfinishedDir, string(kernel)))
	if err != nil {
		return UnfinishedNote{}
	}
	n := UnfinishedNote{Why: Interrupted}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case i == 0 && (line == string(Deferred) || line == string(Failed)):
			n.Why = Unfinished(line)
		case line == keepingLine:
			n.Keeping = true
		case strings.HasPrefix(line, byPrefix):
			n.By = strings.TrimPrefix(line, byPrefix)
		case strings.HasPrefix(line, reasonPrefix):
			n.Reason = strings.TrimPrefix(line, reasonPrefix)
		}
	}
	return n
}

// AllUnfinished returns the kernels with unfinished work on their modules, and those to which
// something is owed.
func (l Layout) AllUnfinished() []Release {
	var names []string
	for _, dir := range []string{UnfinishedDir, InitramfsDir, TransactionDir} {
		entries, _ := os.ReadDir(filepath.Join(l.Path(StateDir), dir))
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	var kernels []Release
	for _, name := range slices.Compact(names) {
		kernel, err := ParseRelease(name)
		_, initramfs := l.InitramfsNoted(kernel)
		_, transaction := l.TransactionNoted(kernel)
		if err == nil && (initramfs || transaction || l.Unfinished(kernel).Why != "") {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}

// OwedNote is a note of record.NoteOwed: what is to follow once the modules of a kernel are done.
type OwedNote struct {
	// Names are the modules that were changed.
	Names []string
	// By is the ProcessMark of the run that changed them.
	By string
	// Reason is why the last attempt failed, "" without one.
	Reason string
	// ID distinguishes the note from a later one.
	ID string
}

// Active reports whether another run is at work on it, or will be.
func (n OwedNote) Active() bool { return n.Reason == "" && activeElsewhere(n.By) }

// activeElsewhere reports whether a process other than this one has the ProcessMark and is
// running.
func activeElsewhere(mark string) bool {
	return Alive(mark) && mark != ProcessMark(os.Getpid())
}

// InitramfsPath returns the path of a kernel's initramfs, as Debian names it.
func (l Layout) InitramfsPath(kernel Release) string {
	return l.Path("/boot/initrd.img-" + string(kernel))
}

// InitramfsNoted returns the note that the initramfs of a kernel may need an update, and reports
// whether there is one that still counts.
func (l Layout) InitramfsNoted(kernel Release) (OwedNote, bool) { return l.Owed(InitramfsDir, kernel) }

// TransactionNoted returns the note that post_transaction is to be run for a kernel, and reports
// whether there is one.
func (l Layout) TransactionNoted(kernel Release) (OwedNote, bool) {
	return l.Owed(TransactionDir, kernel)
}

// Owed returns the note of record.NoteOwed in InitramfsDir or TransactionDir, and reports whether
// there is one that still counts. It does not if somebody has made the initramfs since an attempt
// failed.
func (l Layout) Owed(dir string, kernel Release) (OwedNote, bool) {
	path := filepath.Join(l.Path(StateDir), dir, string(kernel))
	data, err := regular.ReadFile(path)
	if err != nil {
		return OwedNote{}, false
	}
	var n OwedNote
	id, rest, _ := strings.Cut(string(data), "\n")
	n.ID = id
	n.By, _, _ = strings.Cut(id, " ")
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if reason, ok := strings.CutPrefix(line, reasonPrefix); ok {
			n.Reason = reason
		} else if line != "" {
			n.Names = append(n.Names, line)
		}
	}
	return n, dir != InitramfsDir || n.Reason == "" || !newer(l.InitramfsPath(kernel), path)
}

// newer reports whether a file was written after another one.
func newer(path, than string) bool {
	file, err := os.Stat(path)
	other, otherErr := os.Stat(than)
	return err == nil && otherErr == nil && file.ModTime().After(other.ModTime())
}
