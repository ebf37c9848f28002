package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openSub opens a directory below another, refusing a symbolic link at every
// step of the way.
func openSub(root *os.Root, names ...string) (*os.Root, error) {
	at, path := root, ""
	for _, name := range names {
		path += "/" + name
		info, err := at.Lstat(name)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("cannot use %s%s: it is no directory", root.Name(), path)
		}
		var next *os.Root
		if err == nil {
			next, err = at.OpenRoot(name)
		}
		if at != root {
			at.Close()
		}
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// removeAll removes a file or a directory with all it holds; links are removed,
// not followed. What is not there is no error.
func removeAll(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		sub, err := root.OpenRoot(name)
		if err != nil {
			return err
		}
		err = removeEntries(sub)
		sub.Close()
		if err != nil {
			return err
		}
	}
	return root.Remove(name)
}

func removeEntries(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeAll(root, name); err != nil {
			return err
		}
	}
	return nil
}

// withDir calls a function with the descriptor of an open directory; os.Root
// of Go 1.24 has neither rename nor symlink.
func withDir(root *os.Root, do func(fd int) error) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return do(int(dir.Fd()))
}

// renameIn renames an entry of a directory to another name in it.
func renameIn(root *os.Root, from, to string) error {
	return withDir(root, func(fd int) error { return unix.Renameat(fd, from, fd, to) })
}

// symlinkIn makes a link in a directory, in place of what has that name.
func symlinkIn(root *os.Root, target, name string) error {
	return withDir(root, func(fd int) error {
		temp := ".dkms-hooks-link"
		if err := unix.Unlinkat(fd, temp, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := unix.Symlinkat(target, fd, temp); err != nil {
			return err
		}
		if err := unix.Renameat(fd, temp, fd, name); err != nil {
			return err
		}
		return unix.Fsync(fd)
	})
}
