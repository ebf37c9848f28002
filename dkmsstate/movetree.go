package dkmsstate

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// partial is a file in a directory that is not whole: it is being copied, or removed,
// since its filesystem refuses to rename it. What it is a copy of, or what takes its
// place, is still there, or it is not wanted any more.
const partial = ".dkms-hooks-partial"

// whole reports whether a directory is there with all that belongs into it. An empty one
// was not marked yet, or not any more.
func (d *dir) whole(name string) bool {
	sub, err := d.sub(name)
	if err != nil {
		return false
	}
	defer sub.Close()
	names, err := sub.names()
	return err == nil && len(names) > 0 && !slices.Contains(names, partial)
}

// moveTree gives a directory another name, in place of what has that name. Where it
// cannot be renamed, a whole copy is made before the first file of it goes. trash is a
// name for what is being removed.
func (d *dir) moveTree(from, to, trash string) error {
	if _, err := d.Lstat(from); err != nil {
		return err
	}
	if err := d.dropTree(to, trash); err != nil {
		return err
	}
	err := d.rename(from, d, to)
	if !refused(err) {
		return err
	}
	if copyErr := d.copyTree(from, to); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return d.dropTree(from, trash)
}

// dropTree removes a directory, so that no part of it is ever taken for the whole: it
// is given a name first that is nothing but to be removed, or marked as partial.
func (d *dir) dropTree(name, trash string) error {
	if err := removeAll(d, trash); err != nil {
		return err
	}
	err := d.rename(name, d, trash)
	switch {
	case isNotThere(err):
		return nil
	case err == nil:
		return removeAll(d, trash)
	case !refused(err):
		return err
	}
	if st, err := d.Lstat(name); err != nil || !st.IsDir() {
		return removeAll(d, name)
	}
	_ = d.mark(name) // on a full disk it is removed without
	if err := removeEntries(d, name, partial); err != nil {
		return err
	}
	return removeAll(d, name)
}

// mark marks a directory as partial.
func (d *dir) mark(name string) error {
	sub, err := d.sub(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	file, err := sub.create(partial, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), sub.sync())
}

// copyTree makes a copy of a directory of which the files are second names of the same
// ones where that can be. After an error there is none.
func (d *dir) copyTree(from, to string) error {
	if err := removeAll(d, to); err != nil {
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
		return errors.Join(err, removeAll(d, to))
	}
	sub, err := d.sub(to)
	if err != nil {
		return err
	}
	defer sub.Close()
	return errors.Join(sub.Remove(partial), sub.sync(), d.sync())
}

// copyEntries copies what a directory holds into another one.
func (d *dir) copyEntries(name string, into *dir, as string) error {
	from, err := d.sub(name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := into.sub(as)
	if err != nil {
		return err
	}
	defer to.Close()
	names, err := from.names()
	if err != nil {
		return err
	}
	for _, entry := range names {
		if err := from.copyEntry(entry, to); err != nil {
			return err
		}
	}
	return to.sync()
}

func (d *dir) copyEntry(name string, to *dir) error {
	st, err := d.Lstat(name)
	switch {
	case err != nil:
		return err
	case name == partial:
		return nil
	case st.IsDir():
		if err := to.Mkdir(name, 0o755); err != nil {
			return err
		}
		return d.copyEntries(name, to, name)
	case st.is(unix.S_IFLNK):
		target, err := d.readlink(name)
		if err != nil {
			return err
		}
		return to.symlink(target, name)
	}
	return d.secondName(name, to)
}

// secondName gives a file a second name in another directory, or makes a copy of it
// where there are no second names.
func (d *dir) secondName(name string, to *dir) error {
	err := d.link(name, to, name)
	if err == nil || isNotThere(err) || noSpace(err) {
		return err
	}
	return d.copyFile(name, to, name)
}

// copyFile copies a file to a name that is free, with its permissions and its time.
func (d *dir) copyFile(from string, to *dir, name string) error {
	src, err := d.open(from, unix.O_RDONLY|unix.O_NONBLOCK, 0)
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
	return to.writeNew(name, info.Mode().Perm(), info.ModTime(), func(file *os.File) error {
		_, err := io.Copy(file, src)
		return err
	})
}

// writeNew writes a file that is not there yet; there is none after an error. With a
// time, it is the file's.
func (d *dir) writeNew(name string, perm os.FileMode, when time.Time, write func(to *os.File) error) error {
	file, err := d.create(name, perm)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil && !when.IsZero() {
		tv := []unix.Timeval{unix.NsecToTimeval(when.UnixNano()), unix.NsecToTimeval(when.UnixNano())}
		_ = unix.Futimes(int(file.Fd()), tv) // it is only for who looks at it
	}
	if err = errors.Join(err, d.syncFile(file), file.Close()); err != nil {
		return errors.Join(err, removeAll(d, name))
	}
	return nil
}

// noSpace reports whether a disk or a quota is full.
func noSpace(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
