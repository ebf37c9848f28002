package nofollow

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"dkms-hooks/dkmsstate/regular"

	"golang.org/x/sys/unix"
)

// PartialMark is the name of a file that marks an incomplete directory. Such a directory is
// being copied, or removed, because its filesystem refuses to rename it. The original of the
// copy, or the directory that replaces the removed one, still exists, or neither is wanted any
// more.
const PartialMark = ".dkms-hooks-partial"

// IsComplete reports whether a directory exists with all its entries. An empty one is not
// complete: it was not marked yet, or its mark is already removed.
func (d *Dir) IsComplete(name string) bool {
	sub, err := d.Sub(name)
	if err != nil {
		return false
	}
	defer sub.Close()
	names, err := sub.Names()
	return err == nil && len(names) > 0 && !slices.Contains(names, PartialMark)
}

// MoveTree renames a directory. It replaces an existing entry of the new name. If the directory
// cannot be renamed, it is copied completely before its first file is removed. trash is a
// temporary name for what is being removed.
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

// RemoveTree removes a directory in such a way that no part of it is ever taken for the whole.
// It first renames the directory to trash, or else marks it as partial.
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
	_ = d.mark(name) // on a full disk it is removed without the mark
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

// CopyTree copies a directory. The files of the copy are hard links to the original ones where
// possible. After an error there is no copy.
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

// copyEntries copies the entries of a directory into another one.
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

// LinkOrCopy creates a hard link to a file in another directory, or copies the file where it
// cannot be linked.
func (d *Dir) LinkOrCopy(name string, to *Dir) error {
	err := d.link(name, to, name)
	if err == nil || IsNotExist(err) || IsNoSpace(err) {
		return err
	}
	return d.copyFile(name, to, name)
}

// copyFile copies a file to a name that does not exist yet, with its permissions and its
// modification time.
func (d *Dir) copyFile(from string, to *Dir, name string) error {
	src, err := d.Open(from, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer src.Close()
	return to.copyNew(name, src, true)
}

// copyNew copies a regular file to a name that does not exist yet, with its permissions and, if
// timed, its modification time.
func (d *Dir) copyNew(name string, src *os.File, timed bool) error {
	info, err := src.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &os.PathError{Op: "copy", Path: src.Name(), Err: regular.ErrNotRegular}
	}
	var when time.Time
	if timed {
		when = info.ModTime()
	}
	return d.WriteNew(name, info.Mode().Perm(), when, func(to *os.File) error {
		_, err := io.Copy(to, src)
		return err
	})
}

// WriteNew writes a file that does not exist yet. After an error there is no such file. when is
// its modification time, unless it is zero.
func (d *Dir) WriteNew(name string, perm os.FileMode, when time.Time, write func(to *os.File) error) error {
	file, err := d.create(name, perm)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil && !when.IsZero() {
		tv := []unix.Timeval{unix.NsecToTimeval(when.UnixNano()), unix.NsecToTimeval(when.UnixNano())}
		_ = unix.Futimes(int(file.Fd()), tv) // it is only informative
	}
	if err = errors.Join(err, d.SyncFile(file), file.Close()); err != nil {
		return errors.Join(err, d.RemoveAll(name))
	}
	return nil
}

// IsNoSpace reports whether err means that a disk or a quota is full.
func IsNoSpace(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
