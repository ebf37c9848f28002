package nofollow

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

// TempName is what a module file is called while it is being written. It does
// not end as a module does, so that depmod passes over one that a kill left.
func TempName(name string) string { return "." + name + tempSuffix }

// NameOfTemp returns the name that a temporary name is of.
func NameOfTemp(temp string) (string, bool) {
	name, ok := strings.CutSuffix(temp, tempSuffix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutPrefix(name, ".")
	return name, ok && name != ""
}

// ReplaceFile puts a copy of a file in place of what has a name, whole or not at all.
func (d *Dir) ReplaceFile(name, from string) error {
	if err := d.CopyToTemp(name, from); err != nil {
		return err
	}
	return d.RenameTemps([]string{name})
}

// CopyToTemp copies a file to the temporary name of a name.
func (d *Dir) CopyToTemp(name, from string) error {
	src, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	return d.writeTemp(name, info.Mode().Perm(), func(to *os.File) error {
		_, err := io.Copy(to, src)
		return err
	})
}

// WriteFile writes a file in place of what has a name, whole and on the disk or not at
// all.
func (d *Dir) WriteFile(name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := d.writeTemp(name, perm, write); err != nil {
		return err
	}
	return d.RenameTemps([]string{name})
}

// writeTemp writes a file under the temporary name of a name; there is none after
// an error.
func (d *Dir) writeTemp(name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := d.RemoveAll(TempName(name)); err != nil {
		return err
	}
	return d.WriteNew(TempName(name), perm, time.Time{}, write)
}

// RenameTemps returns files that were written under their temporary names their own.
func (d *Dir) RenameTemps(names []string) error {
	for _, name := range names {
		if err := d.MoveFile(TempName(name), d, name); err != nil {
			return errors.Join(err, d.RemoveTemps(names))
		}
	}
	return d.Sync()
}

// MoveFile renames a file, in place of what has that name. Where files
// cannot be renamed it is written there, as cp(1) and so dkms does it.
func (d *Dir) MoveFile(from string, to *Dir, name string) error {
	err := d.rename(from, to, name)
	if !IsRefused(err) {
		return err
	}
	if copyErr := errors.Join(to.RemoveAll(name), d.copyFile(from, to, name)); copyErr != nil {
		return errors.Join(err, copyErr)
	}
	return d.RemoveAll(from)
}

func (d *Dir) RemoveTemps(names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, d.RemoveAll(TempName(name)))
	}
	return errors.Join(errs...)
}
