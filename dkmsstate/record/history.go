package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// Event is one thing that a run decided or did.
type Event struct {
	When   time.Time         `json:"when"`
	Kernel dkmsstate.Release `json:"kernel"`
	// Module is MODULE/VERSION, "" for the verdict of a run.
	Module string `json:"module,omitempty"`
	// Did is the verdict, or what was done with the module: installed, rebuilt, restored,
	// removed, failed and so on.
	Did string `json:"did"`
	// Text explains it, in one line.
	Text string `json:"text,omitempty"`
	// Hook is the hook or the command. Script and Package are the maintainer script that called
	// it, Action what that was called with. User is the person who called it. They are "" where
	// there is none.
	Hook    string `json:"hook"`
	Script  string `json:"script,omitempty"`
	Package string `json:"package,omitempty"`
	Action  string `json:"action,omitempty"`
	User    string `json:"user,omitempty"`
}

// The history is kept in two files of about historySize bytes each. The older one is
// discarded when the newer one is full. historyLock is held while the files are renamed.
const (
	historyFile = "history"
	historyLock = "history.lock"
	historySize = 256 << 10
)

// AppendHistory adds an event to the history. It needs no lock: a line is written at once.
func AppendHistory(l dkmsstate.Layout, e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cannot write the history: %w", err)
	}
	dir, err := OpenOwn(l, "")
	if err != nil {
		return fmt.Errorf("cannot write the history: %w", err)
	}
	defer dir.Close()
	path := historyPath(l)
	if err := makeRoom(dir, path); err != nil {
		return fmt.Errorf("cannot write the history: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return fmt.Errorf("cannot write the history: %w", err)
	}
	_, err = file.Write(append(line, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("cannot write the history: %w", err)
	}
	return nil
}

// makeRoom renames the newer file of the history if nothing more is to be added to it. Two runs
// may find it full at once, and the second one would replace the older file by an almost empty
// one. So the file is looked at again under a lock, and a run that does not get the lock leaves
// the file to the one that has it. The lock is a file that only root can open.
func makeRoom(dir *nofollow.Dir, path string) error {
	if !full(path) {
		return nil
	}
	lock, err := dir.Open(historyLock, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || !full(path) { // any other error: a filesystem without locks
		return nil
	}
	return os.Rename(path, path+".old")
}

// full reports whether nothing more is to be added to a file of the history. What is no regular
// file does not belong there.
func full(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && (!info.Mode().IsRegular() || info.Size() > historySize)
}

// ReadHistory returns the events, the oldest first. Lines that cannot be parsed, such as one
// that was cut off, are left out.
func ReadHistory(l dkmsstate.Layout) ([]Event, error) {
	var events []Event
	for _, path := range []string{historyPath(l) + ".old", historyPath(l)} {
		data, err := regular.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return events, fmt.Errorf("cannot read the history: %w", err)
		}
		for _, line := range bytes.Split(data, []byte("\n")) {
			var e Event
			if json.Unmarshal(line, &e) == nil && e.Did != "" {
				events = append(events, e)
			}
		}
	}
	return events, nil
}

func historyPath(l dkmsstate.Layout) string {
	return filepath.Join(l.Path(dkmsstate.StateDir), historyFile)
}
