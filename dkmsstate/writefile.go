package dkmsstate

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// tempName is what a module file is called while it is being written. It does
// not end as a module does, so that depmod passes over one that a kill left.
func tempName(name string) string { return "." + name + ".dkms-hooks" }

// replaceFile puts a copy of a file into a directory under a name, whole or
// not at all.
func replaceFile(dir *os.Root, name, from string) error {
	if err := copyFile(dir, name, from); err != nil {
		return err
	}
	return putInPlace(dir, []string{name})
}

// copyFile writes a copy of a file into a directory under the temporary name of a
// name.
func copyFile(dir *os.Root, name, from string) error {
	src, err := openRegular(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	return writeTemp(dir, name, info.Mode().Perm(), func(to *os.File) error {
		_, err := io.Copy(to, src)
		return err
	})
}

// writeFile puts a file into a directory under a name, whole and on the disk or
// not at all.
func writeFile(dir *os.Root, name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := writeTemp(dir, name, perm, write); err != nil {
		return err
	}
	return putInPlace(dir, []string{name})
}

// writeTemp writes a file under the temporary name of a name; there is none after
// an error.
func writeTemp(dir *os.Root, name string, perm fs.FileMode, write func(to *os.File) error) error {
	temp := tempName(name)
	if err := removeAll(dir, temp); err != nil {
		return err
	}
	to, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = write(to)
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return errors.Join(err, removeAll(dir, temp))
	}
	return nil
}

// putInPlace gives files that were written under their temporary names their own.
func putInPlace(dir *os.Root, names []string) error {
	for _, name := range names {
		if err := renameIn(dir, tempName(name), name); err != nil {
			return errors.Join(err, removeTemps(dir, names))
		}
	}
	return withDir(dir, unix.Fsync)
}

func removeTemps(dir *os.Root, names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, removeAll(dir, tempName(name)))
	}
	return errors.Join(errs...)
}
