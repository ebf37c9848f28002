package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockDir holds what this project keeps of its own.
const lockDir = "/var/lib/dkms-hooks"

// ErrLocked says that another run held the lock for longer than the limit.
const ErrLocked = sentinel("another run of the hooks holds the lock")

// ErrIdle says that no run holds it, for who wants to watch one.
const ErrIdle = sentinel("no run of the hooks is at work")

// Lock keeps two hooks from working at once, which corrupts builds: dkms has no
// lock of its own. It waits up to the limit, and calls waiting once before it
// does. The lock lasts until the file is closed, here and in every child that
// it was given to, whatever ends them.
func (l Layout) Lock(ctx context.Context, limit time.Duration, waiting func()) (*os.File, error) {
	dir := l.Path(lockDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the lock: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for first := true; ; first = false {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || refused(err) || errors.Is(err, unix.ENOLCK) { // a network filesystem without locks: as the stock hooks, which have none
			l.removeOwnTemps()
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, fmt.Errorf("cannot take the lock: %w", err)
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ErrLocked
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// AtWork says whether a run holds the lock. It is tried for no longer than it takes to
// let go of it again; a run that wants it at that instant waits for a tenth of a second.
func (l Layout) AtWork() (bool, error) {
	file, err := os.OpenFile(filepath.Join(l.Path(lockDir), "lock"), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot tell whether a run is at work: %w", err)
	}
	defer file.Close()
	return errors.Is(unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK), nil
}
