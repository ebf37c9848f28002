package dkmsstate

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/regular"
)

// tempSuffix ends the name that a file has while it is being written.
const tempSuffix = ".dkms-hooks"

// tempName is what a module file is called while it is being written. It does
// not end as a module does, so that depmod passes over one that a kill left.
func tempName(name string) string { return "." + name + tempSuffix }

// ofTemp returns the name that a temporary name is of.
func ofTemp(temp string) (string, bool) {
	name, ok := strings.CutSuffix(temp, tempSuffix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutPrefix(name, ".")
	return name, ok && name != ""
}

// replaceFile puts a copy of a file into a directory under a name, whole or
// not at all.
func replaceFile(d *dir, name, from string) error {
	if err := copyFile(d, name, from); err != nil {
		return err
	}
	return putInPlace(d, []string{name})
}

// copyFile writes a copy of a file into a directory under the temporary name of a
// name.
func copyFile(d *dir, name, from string) error {
	src, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	return writeTemp(d, name, info.Mode().Perm(), func(to *os.File) error {
		_, err := io.Copy(to, src)
		return err
	})
}

// writeFile puts a file into a directory under a name, whole and on the disk or
// not at all.
func writeFile(d *dir, name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := writeTemp(d, name, perm, write); err != nil {
		return err
	}
	return putInPlace(d, []string{name})
}

// writeTemp writes a file under the temporary name of a name; there is none after
// an error.
func writeTemp(d *dir, name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := removeAll(d, tempName(name)); err != nil {
		return err
	}
	return d.writeNew(tempName(name), perm, time.Time{}, write)
}

// putInPlace gives files that were written under their temporary names their own.
func putInPlace(d *dir, names []string) error {
	for _, name := range names {
		if err := d.moveFile(tempName(name), d, name); err != nil {
			return errors.Join(err, removeTemps(d, names))
		}
	}
	return d.sync()
}

// moveFile gives a file another name, in place of what has that name. Where files
// cannot be renamed it is written there, as cp(1) and so dkms does it.
func (d *dir) moveFile(from string, to *dir, name string) error {
	err := d.rename(from, to, name)
	if !refused(err) {
		return err
	}
	if copyErr := errors.Join(removeAll(to, name), d.copyFile(from, to, name)); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return removeAll(d, from)
}

func removeTemps(d *dir, names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, removeAll(d, tempName(name)))
	}
	return errors.Join(errs...)
}
