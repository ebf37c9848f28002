package dkmsstate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// dir is an open directory. Its methods take the name of an entry, never a path, and
// follow no symbolic link: only openDir and openSub do. os.Root of Go 1.24 has neither
// rename nor link, and refuses every link that leads out of it.
type dir struct {
	file   *os.File
	path   string
	layout Layout
}

// dirStat is what lstat(2) says of an entry.
type dirStat unix.Stat_t

func (st dirStat) is(kind uint32) bool { return uint32(st.Mode)&unix.S_IFMT == kind }

// IsDir reports whether the entry is a directory.
func (st dirStat) IsDir() bool { return st.is(unix.S_IFDIR) }

// openPath opens a directory, over links as the kernel follows them.
func (l Layout) openPath(path string) (*dir, error) {
	file, err := os.OpenFile(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &dir{file: file, path: path, layout: l}, nil
}

// Close closes the directory.
func (d *dir) Close() error { return d.file.Close() }

// call makes one system call on an entry. Interrupted calls are repeated (signal(7));
// Layout.refuse takes the place of a filesystem that does not have the call.
func (d *dir) call(name, entry string, do func(fd int) error) error {
	path := filepath.Join(d.path, entry)
	if strings.Contains(entry, "/") {
		return &fs.PathError{Op: name, Path: path, Err: unix.EINVAL}
	}
	if d.layout.refuse != nil {
		if err := d.layout.refuse(name, path); err != nil {
			return &fs.PathError{Op: name, Path: path, Err: err}
		}
	}
	err := do(int(d.file.Fd()))
	for errors.Is(err, unix.EINTR) {
		err = do(int(d.file.Fd()))
	}
	if err != nil {
		return &fs.PathError{Op: name, Path: path, Err: err}
	}
	return nil
}

func (d *dir) open(entry string, flags int, perm fs.FileMode) (*os.File, error) {
	return d.openAs("open", entry, flags, perm)
}

func (d *dir) openAs(call, entry string, flags int, perm fs.FileMode) (file *os.File, err error) {
	err = d.call(call, entry, func(at int) error {
		fd, err := unix.Openat(at, entry, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW, uint32(perm.Perm()))
		if err == nil {
			file = os.NewFile(uintptr(fd), filepath.Join(d.path, entry))
		}
		return err
	})
	return file, err
}

// sub opens a directory in this one.
func (d *dir) sub(name string) (*dir, error) {
	file, err := d.open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &dir{file: file, path: filepath.Join(d.path, name), layout: d.layout}, nil
}

// Lstat looks at an entry.
func (d *dir) Lstat(name string) (dirStat, error) {
	var st unix.Stat_t
	err := d.call("lstat", name, func(at int) error { return unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return dirStat(st), err
}

// names returns the names of the entries.
func (d *dir) names() ([]string, error) {
	file, err := d.open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Readdirnames(-1)
}

// Mkdir makes a directory.
func (d *dir) Mkdir(name string, perm fs.FileMode) error {
	return d.call("mkdir", name, func(at int) error { return unix.Mkdirat(at, name, uint32(perm.Perm())) })
}

// create makes a file that is not there yet.
func (d *dir) create(name string, perm fs.FileMode) (*os.File, error) {
	return d.openAs("create", name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, perm)
}

// Remove removes a file, a link or an empty directory.
func (d *dir) Remove(name string) error {
	st, err := d.Lstat(name)
	if err != nil {
		return err
	}
	flags := 0
	if st.IsDir() {
		flags = unix.AT_REMOVEDIR
	}
	return d.call("unlink", name, func(at int) error { return unix.Unlinkat(at, name, flags) })
}

// rename gives an entry another name, in this directory or in another one.
func (d *dir) rename(from string, to *dir, name string) error {
	return d.call("rename", from, func(at int) error { return unix.Renameat(at, from, int(to.file.Fd()), name) })
}

// link gives a file a second name in another directory.
func (d *dir) link(from string, to *dir, name string) error {
	return d.call("link", from, func(at int) error { return unix.Linkat(at, from, int(to.file.Fd()), name, 0) })
}

func (d *dir) symlink(target, name string) error {
	return d.call("symlink", name, func(at int) error { return unix.Symlinkat(target, at, name) })
}

func (d *dir) readlink(name string) (target string, err error) {
	err = d.call("readlink", name, func(at int) error {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(at, name, buf)
		target = string(buf[:max(n, 0)])
		return err
	})
	return target, err
}

// sync writes the directory's entries to the disk. A filesystem that cannot do that
// (EINVAL, fsync(2)) does it in another way or not at all.
func (d *dir) sync() error { return unlessRefused(d.call("fsync", ".", unix.Fsync)) }

// syncFile writes a file of the directory to the disk.
func (d *dir) syncFile(file *os.File) error {
	return unlessRefused(d.call("fsync", filepath.Base(file.Name()), func(int) error { return file.Sync() }))
}

func unlessRefused(err error) error {
	if refused(err) {
		return nil
	}
	return err
}

// refused reports whether a filesystem does not have a call, or not for these names:
// overlayfs cannot rename directories of a lower layer (EXDEV), vfat and some of FUSE
// have no links (EPERM), 9p and NFS give EOPNOTSUPP and EINVAL. There has to be a way
// without the call then.
func refused(err error) bool {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EOPNOTSUPP, unix.EINVAL, unix.EXDEV, unix.ENOSYS, unix.EMLINK, unix.ENOTTY} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// isNotThere reports whether an entry is not there.
func isNotThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// removeAll removes a file or a directory with all it holds; links are removed,
// not followed. What is not there is no error.
func removeAll(d *dir, name string) error {
	st, err := d.Lstat(name)
	if isNotThere(err) {
		return nil
	}
	if err == nil && st.IsDir() {
		err = removeEntries(d, name, "")
	}
	if err != nil {
		return err
	}
	return d.Remove(name)
}

// removeEntries removes what a directory in another one holds, except for one name.
func removeEntries(d *dir, name, except string) error {
	sub, err := d.sub(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	names, err := sub.names()
	if err != nil {
		return err
	}
	for _, entry := range names {
		if entry == except {
			continue
		}
		if err := removeAll(sub, entry); err != nil {
			return err
		}
	}
	return nil
}

// linkTemp is what a link is called while it is being made.
const linkTemp = ".dkms-hooks-link"

// symlinkIn makes a link in a directory, in place of what has that name.
func symlinkIn(d *dir, target, name string) error {
	if err := removeAll(d, linkTemp); err != nil {
		return err
	}
	if err := d.symlink(target, linkTemp); err != nil {
		return err
	}
	err := d.rename(linkTemp, d, name)
	if refused(err) { // as ln -sf does it
		err = errors.Join(removeAll(d, name), d.symlink(target, name), removeAll(d, linkTemp))
	}
	if err != nil {
		return err
	}
	return d.sync()
}
