package record

import (
	"context"
	"crypto/rand"
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
	"dkms-hooks/dkmsstate/sentinel"
)

// The names of the lock files. mainLock is held while modules and the files of depmod are
// changed. initramfsLock is held while an initramfs is generated: this starts programs of other
// packages and is no reason to keep other hooks waiting. rebootLock is held while the request for a
// reboot is set aside or put back. writeLock is held for an instant, while a small file of the
// hooks' own directory is written, with any of the others or without.
//
// Only root can open them. Whoever can open a file, even for reading, can lock it and keep others
// waiting.
const (
	mainLock      = "lock"
	initramfsLock = "initramfs.lock"
	rebootLock    = "reboot.lock"
	writeLock     = "write.lock"
)

// ErrLocked means that another run held the lock for longer than the limit.
const ErrLocked = sentinel.Error("another run of dkms-hooks holds the lock")

// ErrIdle means that no run holds the lock. It is for those who want to watch a run.
const ErrIdle = sentinel.Error("no run of dkms-hooks is active")

// ErrBelow means that the run that holds the lock waits for this one (see Below).
const ErrBelow = sentinel.Error("this process was started by an active run of dkms-hooks")

// A Lock is held until Close. Children inherit its file: if the holder is killed, the lock is held
// until the last of them has ended or closed the file.
type Lock struct {
	file *os.File
	// mark is what the holder wrote into the file. Its children have it in RunVariable.
	mark string
}

// Acquire takes the lock that keeps two hooks from working at the same time, which corrupts
// builds: dkms has no lock of its own. It waits up to limit. Before it waits, it calls waiting
// once.
func Acquire(ctx context.Context, l dkmsstate.Layout, limit time.Duration, waiting func()) (*Lock, error) {
	return acquire(ctx, l, mainLock, limit, waiting)
}

// AcquireInitramfs is Acquire for generating an initramfs.
func AcquireInitramfs(ctx context.Context, l dkmsstate.Layout, limit time.Duration, waiting func()) (*Lock, error) {
	return acquire(ctx, l, initramfsLock, limit, waiting)
}

// AcquireReboot is Acquire for setting aside the request for a reboot, or putting it back.
func AcquireReboot(ctx context.Context, l dkmsstate.Layout) (*Lock, error) {
	const limit = 10 * time.Second // it takes some renames
	return acquire(ctx, l, rebootLock, limit, func() {})
}

func acquire(ctx context.Context, l dkmsstate.Layout, name string, limit time.Duration, waiting func()) (*Lock, error) {
	file, err := lock(ctx, l, name, limit, waiting)
	if err != nil {
		return nil, err
	}
	switch name {
	case mainLock:
		removeWritten(l)
	case initramfsLock:
		removeTemps(l, dkmsstate.KeptInitramfsDir)
	}
	return hold(file), nil
}

// lock opens the file of a lock and locks it. The lock is held until the file is closed.
func lock(ctx context.Context, l dkmsstate.Layout, name string, limit time.Duration, waiting func()) (*os.File, error) {
	dir := l.Path(dkmsstate.StateDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create the directory of the lock: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for first := true; ; first = false {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil || nofollow.IsRefused(err) || errors.Is(err, unix.ENOLCK) { // a network filesystem without locks: work without, as the stock hooks do
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

// hold writes the mark of this run into the file of a lock that was taken. If that fails, Below
// does not recognise what is started from here, which then waits like any other run.
func hold(file *os.File) *Lock {
	lock := &Lock{file: file, mark: dkmsstate.ProcessMark(os.Getpid()) + rand.Text()}
	if n, err := file.WriteAt([]byte(lock.mark), 0); err == nil {
		_ = file.Truncate(int64(n))
	}
	return lock
}

// Mark returns the value of RunVariable for children of the holder.
func (k *Lock) Mark() string { return k.mark }

// File returns the file that children inherit, so that what a killed holder left at work keeps the
// lock.
func (k *Lock) File() *os.File { return k.file }

// Close releases the lock and removes the mark from its file. Closing alone would leave the lock to a
// daemon that inherited the file and could not be found, as without /proc: flock(2) releases it when
// the last copy of the descriptor is closed, or for all of them with LOCK_UN.
func (k *Lock) Close() error {
	_ = k.file.Truncate(0)
	_ = unix.Flock(int(k.file.Fd()), unix.LOCK_UN) // refused only where it could not be locked either
	return k.file.Close()
}

// AtWork reports whether a run holds the lock. To find out, it takes the lock for an instant. A
// run that wants the lock in that instant waits for a tenth of a second.
func AtWork(l dkmsstate.Layout) (bool, error) {
	file, err := openLock(l, mainLock)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot determine whether a run is active: %w", err)
	}
	defer file.Close()
	return held(file), nil
}

// openLock opens the file of a lock for reading.
func openLock(l dkmsstate.Layout, name string) (*os.File, error) {
	return regular.OpenNoFollow(filepath.Join(l.Path(dkmsstate.StateDir), name))
}

// held reports whether somebody holds the lock of a file.
func held(file *os.File) bool {
	return errors.Is(unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}
