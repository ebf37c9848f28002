package nofollow

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// PartialMark is a file in a directory that is not whole: it is being copied, or removed,
// since its filesystem refuses to rename it. What it is a copy of, or what takes its
// place, is still there, or it is not wanted any more.
const PartialMark = ".dkms-hooks-partial"

// IsComplete reports whether a directory is there with all that belongs into it. An empty one
// was not marked yet, or not any more.
func (d *Dir) IsComplete(name string) bool {
	sub, err := d.Sub(name)
	if err != nil {
		return false
	}
	defer sub.Close()
	names, err := sub.Names()
	return err == nil && len(names) > 0 && !slices.Contains(names, PartialMark)
}

// MoveTree returns a directory another name, in place of what has that name. Where it
// cannot be renamed, a whole copy is made before the first file of it goes. trash is a
// name for what is being removed.
func (d *Dir) MoveTree(from, to, trash string) error {
	if _, err := d.Lstat(from); err != nil {
		return err
	}
	if err := d.RemoveTree(to, trash); err != nil {
		return err
	}
	err := d.rename(from, d, to)
	if !IsRefused(err) {
		return err
	}
	if copyErr := d.CopyTree(from, to); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return d.RemoveTree(from, trash)
}

// RemoveTree removes a directory, so that no part of it is ever taken for the whole: it
// is given a name first that is nothing but to be removed, or marked as partial.
func (d *Dir) RemoveTree(name, trash string) error {
	if err := d.RemoveAll(trash); err != nil {
		return err
	}
	err := d.rename(name, d, trash)
	switch {
	case IsNotExist(err):
		return nil
	case err == nil:
		return d.RemoveAll(trash)
	case !IsRefused(err):
		return err
	}
	if st, err := d.Lstat(name); err != nil || !st.IsDir() {
		return d.RemoveAll(name)
	}
	_ = d.mark(name) // on a full disk it is removed without
	if err := d.removeEntries(name, PartialMark); err != nil {
		return err
	}
	return d.RemoveAll(name)
}

// mark marks a directory as partial.
func (d *Dir) mark(name string) error {
	sub, err := d.Sub(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	file, err := sub.create(PartialMark, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), sub.Sync())
}

// CopyTree makes a copy of a directory of which the files are second names of the same
// ones where that can be. After an error there is none.
func (d *Dir) CopyTree(from, to string) error {
	if err := d.RemoveAll(to); err != nil {
		return err
	}
	err := d.Mkdir(to, 0o755)
	if err == nil {
		err = d.mark(to)
	}
	if err == nil {
		err = d.copyEntries(from, d, to)
	}
	if err != nil {
		return errors.Join(err, d.RemoveAll(to))
	}
	sub, err := d.Sub(to)
	if err != nil {
		return err
	}
	defer sub.Close()
	return errors.Join(sub.Remove(PartialMark), sub.Sync(), d.Sync())
}

// copyEntries copies what a directory holds into another one.
func (d *Dir) copyEntries(name string, into *Dir, as string) error {
	from, err := d.Sub(name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := into.Sub(as)
	if err != nil {
		return err
	}
	defer to.Close()
	names, err := from.Names()
	if err != nil {
		return err
	}
	for _, entry := range names {
		if err := from.copyEntry(entry, to); err != nil {
			return err
		}
	}
	return to.Sync()
}

func (d *Dir) copyEntry(name string, to *Dir) error {
	st, err := d.Lstat(name)
	switch {
	case err != nil:
		return err
	case name == PartialMark:
		return nil
	case st.IsDir():
		if err := to.Mkdir(name, 0o755); err != nil {
			return err
		}
		return d.copyEntries(name, to, name)
	case st.Is(unix.S_IFLNK):
		target, err := d.Readlink(name)
		if err != nil {
			return err
		}
		return to.symlink(target, name)
	}
	return d.LinkOrCopy(name, to)
}

// LinkOrCopy links a file to a second name in another directory, or makes a copy of it
// where there are no second names.
func (d *Dir) LinkOrCopy(name string, to *Dir) error {
	err := d.link(name, to, name)
	if err == nil || IsNotExist(err) || IsNoSpace(err) {
		return err
	}
	return d.copyFile(name, to, name)
}

// copyFile copies a file to a name that is free, with its permissions and its time.
func (d *Dir) copyFile(from string, to *Dir, name string) error {
	src, err := d.Open(from, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &os.PathError{Op: "copy", Path: filepath.Join(d.path, from), Err: errors.New("not a regular file")}
	}
	return to.WriteNew(name, info.Mode().Perm(), info.ModTime(), func(file *os.File) error {
		_, err := io.Copy(file, src)
		return err
	})
}

// WriteNew writes a file that is not there yet; there is none after an error. With a
// time, it is the file's.
func (d *Dir) WriteNew(name string, perm os.FileMode, when time.Time, write func(to *os.File) error) error {
	file, err := d.create(name, perm)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil && !when.IsZero() {
		tv := []unix.Timeval{unix.NsecToTimeval(when.UnixNano()), unix.NsecToTimeval(when.UnixNano())}
		_ = unix.Futimes(int(file.Fd()), tv) // it is only for who looks at it
	}
	if err = errors.Join(err, d.SyncFile(file), file.Close()); err != nil {
		return errors.Join(err, d.RemoveAll(name))
	}
	return nil
}

// IsNoSpace reports whether a disk or a quota is full.
func IsNoSpace(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
