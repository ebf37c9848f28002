package debpkg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Activate activates a trigger without anybody awaiting it, as `dpkg-trigger
// --no-await` does and without starting it: by a line in triggers/Unincorp, under
// the lock of the trigger system (dpkg's spec/triggers.txt). Anything that is not as
// it should be there is an error, and nothing is changed.
func Activate(adminDir, trigger string) error {
	if notATrigger(trigger) {
		return fmt.Errorf("cannot activate the trigger %q: that is no name of one", trigger)
	}
	dir := filepath.Join(adminDir, "triggers")
	lock, err := lockTriggers(filepath.Join(dir, "Lock"))
	if err != nil {
		return fmt.Errorf("cannot activate the trigger %s: %w", trigger, err)
	}
	defer lock.Close()
	path := filepath.Join(dir, "Unincorp")
	text, _, err := readFile(path)
	if err == nil {
		var now string
		if now, err = activated(string(text), trigger); err == nil && now != string(text) {
			err = replace(dir, path, now)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot activate the trigger %s: %w", trigger, err)
	}
	return nil
}

// notATrigger says that a name cannot be a trigger's (deb-triggers(5)).
func notATrigger(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// nobody stands for whoever does not await a trigger.
const nobody = "-"

// activated gives the text of Unincorp with a trigger activated, the same text when
// it is. Each line of it is a trigger's name and what awaits it.
func activated(text, trigger string) (string, error) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		return "", errors.New("its last line is cut off")
	}
	var out strings.Builder
	found := false
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 {
			return "", fmt.Errorf("its line %q is not understood", line)
		}
		if words[0] == trigger {
			found = true
			if !slices.Contains(words[1:], nobody) {
				line = strings.Join(slices.Insert(words, 1, nobody), " ") + "\n"
			}
		}
		out.WriteString(line)
	}
	if !found {
		out.WriteString(trigger + " " + nobody + "\n")
	}
	return out.String(), nil
}

// lockTriggers takes the lock that dpkg and dpkg-trigger hold for moments only.
func lockTriggers(path string) (*os.File, error) {
	const patience, pause = 2 * time.Second, 5 * time.Millisecond
	lock, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		err = unix.FcntlFlock(lock.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		busy := errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES)
		if err == nil {
			return lock, nil
		}
		if !busy || time.Now().After(deadline) {
			lock.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
	}
}

// replace writes a file of the database as dpkg does: beside it, then renamed.
func replace(dir, path, text string) error {
	next := path + ".new"
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(next))
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}
