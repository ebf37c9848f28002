package nofollow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is an open directory. Its methods take the name of an entry, never a path.
type Dir struct {
	file *os.File
	path string
	root Root
}

// Stat is the result of lstat(2) for an entry.
type Stat unix.Stat_t

// Is reports whether the entry is of the given kind: unix.S_IFDIR, unix.S_IFLNK and so on.
func (st Stat) Is(kind uint32) bool { return uint32(st.Mode)&unix.S_IFMT == kind }

// IsDir reports whether the entry is a directory.
func (st Stat) IsDir() bool { return st.Is(unix.S_IFDIR) }

// OpenPath opens a directory. Symbolic links in the path are followed as the kernel does it.
func (r Root) OpenPath(path string) (*Dir, error) {
	file, err := os.OpenFile(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Dir{file: file, path: path, root: r}, nil
}

// Close closes the directory.
func (d *Dir) Close() error { return d.file.Close() }

// call makes one system call on an entry. It repeats interrupted calls (signal(7)). In tests,
// Root.Refuse stands in for a filesystem without the call.
func (d *Dir) call(name, entry string, do func(fd int) error) error {
	path := filepath.Join(d.path, entry)
	if strings.Contains(entry, "/") {
		return &fs.PathError{Op: name, Path: path, Err: unix.EINVAL}
	}
	if d.root.Refuse != nil {
		if err := d.root.Refuse(name, path); err != nil {
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

// Open opens an entry with the flags of open(2). It never follows a symbolic link, nor waits for the
// other end of a pipe.
func (d *Dir) Open(entry string, flags int, perm fs.FileMode) (*os.File, error) {
	return d.openAs("open", entry, flags, perm)
}

func (d *Dir) openAs(call, entry string, flags int, perm fs.FileMode) (file *os.File, err error) {
	err = d.call(call, entry, func(at int) error {
		fd, err := unix.Openat(at, entry, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, uint32(perm.Perm()))
		if err == nil {
			file = os.NewFile(uintptr(fd), filepath.Join(d.path, entry))
		}
		return err
	})
	return file, err
}

// Sub opens a subdirectory.
func (d *Dir) Sub(name string) (*Dir, error) {
	file, err := d.Open(name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Dir{file: file, path: filepath.Join(d.path, name), root: d.root}, nil
}

// Lstat returns the result of lstat(2) for an entry.
func (d *Dir) Lstat(name string) (Stat, error) {
	var st unix.Stat_t
	err := d.call("lstat", name, func(at int) error { return unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return Stat(st), err
}

// Names returns the names of the entries.
func (d *Dir) Names() ([]string, error) {
	file, err := d.Open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Readdirnames(-1)
}

// Mkdir creates a directory.
func (d *Dir) Mkdir(name string, perm fs.FileMode) error {
	return d.call("mkdir", name, func(at int) error { return unix.Mkdirat(at, name, uint32(perm.Perm())) })
}

// create creates a file, which must not exist.
func (d *Dir) create(name string, perm fs.FileMode) (*os.File, error) {
	return d.openAs("create", name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, perm)
}

// Remove removes a file, a link or an empty directory.
func (d *Dir) Remove(name string) error {
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

// rename renames an entry, within this directory or into another one.
func (d *Dir) rename(from string, to *Dir, name string) error {
	return d.call("rename", from, func(at int) error { return unix.Renameat(at, from, int(to.file.Fd()), name) })
}

// link creates a hard link to a file in another directory.
func (d *Dir) link(from string, to *Dir, name string) error {
	return d.call("link", from, func(at int) error { return unix.Linkat(at, from, int(to.file.Fd()), name, 0) })
}

func (d *Dir) symlink(target, name string) error {
	return d.call("symlink", name, func(at int) error { return unix.Symlinkat(target, at, name) })
}

// Readlink returns the target of a symbolic link.
func (d *Dir) Readlink(name string) (target string, err error) {
	err = d.call("readlink", name, func(at int) error {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(at, name, buf)
		target = string(buf[:max(n, 0)])
		return err
	})
	return target, err
}

// Sync writes the directory's entries to the disk. A filesystem that does not support that
// (EINVAL, fsync(2)) is not an error: it writes them in another way or not at all.
func (d *Dir) Sync() error { return unlessRefused(d.call("fsync", ".", unix.Fsync)) }

// SyncFile writes a file of the directory to the disk. A filesystem that does not support that
// is not an error.
func (d *Dir) SyncFile(file *os.File) error {
	return unlessRefused(d.call("fsync", filepath.Base(file.Name()), func(int) error { return file.Sync() }))
}

// Free returns how many bytes of the directory's filesystem are available to unprivileged
// users. It reports false if the filesystem does not know its size, as some of FUSE.
func (d *Dir) Free() (int64, bool) {
	var fs unix.Statfs_t
	err := d.call("statfs", ".", func(at int) error { return unix.Fstatfs(at, &fs) })
	return int64(fs.Bavail) * int64(fs.Bsize), err == nil && fs.Blocks > 0
}

func unlessRefused(err error) error {
	if IsRefused(err) {
		return nil
	}
	return err
}

// IsRefused reports whether err means that a filesystem does not support a call, or not for
// these names: overlayfs cannot rename directories of a lower layer (EXDEV), vfat and some of
// FUSE have no links (EPERM), 9p and NFS return EOPNOTSUPP and EINVAL. The caller has to do
// without the call then.
func IsRefused(err error) bool {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EOPNOTSUPP, unix.EINVAL, unix.EXDEV, unix.ENOSYS, unix.EMLINK, unix.ENOTTY} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// IsNotExist reports whether err means that an entry does not exist.
func IsNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// RemoveAll removes a file, or a directory with everything in it. Symbolic links are removed,
// not followed. It is not an error if the entry does not exist.
func (d *Dir) RemoveAll(name string) error {
	st, err := d.Lstat(name)
	if IsNotExist(err) {
		return nil
	}
	if err == nil && st.IsDir() {
		err = d.removeEntries(name, "")
	}
	if err != nil {
		return err
	}
	return d.Remove(name)
}

// removeEntries removes the entries of a subdirectory, except one.
func (d *Dir) removeEntries(name, except string) error {
	sub, err := d.Sub(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	names, err := sub.Names()
	if err != nil {
		return err
	}
	for _, entry := range names {
		if entry == except {
			continue
		}
		if err := sub.RemoveAll(entry); err != nil {
			return err
		}
	}
	return nil
}

// LinkTemp is the temporary name of a symbolic link that is being created.
const LinkTemp = ".dkms-hooks-link"

// ReplaceSymlink creates a symbolic link. It replaces an existing entry of that name.
func (d *Dir) ReplaceSymlink(target, name string) error {
	if err := d.RemoveAll(LinkTemp); err != nil {
		return err
	}
	if err := d.symlink(target, LinkTemp); err != nil {
		return err
	}
	err := d.rename(LinkTemp, d, name)
	if IsRefused(err) { // as ln -sf does
		err = errors.Join(d.RemoveAll(name), d.symlink(target, name), d.RemoveAll(LinkTemp))
	}
	if err != nil {
		return err
	}
	return d.Sync()
}
