package nofollow

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/regular"
)

// tempSuffix ends the temporary name of a file that is being written.
const tempSuffix = ".dkms-hooks"

// TempName returns the temporary name of a file that is being written. It does not have the
// suffix of a module, so that depmod ignores one that a killed run left behind.
func TempName(name string) string { return "." + name + tempSuffix }

// NameOfTemp returns the name for which temp is the temporary name. It reports false if temp is
// not a temporary name.
func NameOfTemp(temp string) (string, bool) {
	name, ok := strings.CutSuffix(temp, tempSuffix)
	if !ok {
		return "", false
	}
	name, ok = strings.CutPrefix(name, ".")
	return name, ok && name != ""
}

// ReplaceFile replaces the file name with a copy of the file from, completely or not at all.
func (d *Dir) ReplaceFile(name, from string) error {
	if err := d.CopyToTemp(name, from); err != nil {
		return err
	}
	return d.RenameTemps([]string{name})
}

// CopyToTemp copies the file from to the temporary name of name.
func (d *Dir) CopyToTemp(name, from string) error {
	src, err := regular.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := d.RemoveAll(TempName(name)); err != nil {
		return err
	}
	return d.copyNew(TempName(name), src, false)
}

// WriteFile writes a file and replaces an existing one of that name. The new file is complete
// and on the disk, or the old one stays.
func (d *Dir) WriteFile(name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := d.writeTemp(name, perm, write); err != nil {
		return err
	}
	return d.RenameTemps([]string{name})
}

// writeTemp writes a file under the temporary name of name. After an error there is no such
// file.
func (d *Dir) writeTemp(name string, perm fs.FileMode, write func(to *os.File) error) error {
	if err := d.RemoveAll(TempName(name)); err != nil {
		return err
	}
	return d.WriteNew(TempName(name), perm, time.Time{}, write)
}

// RenameTemps renames files from their temporary names to the given ones. If that fails, it
// removes the temporary files that remain.
func (d *Dir) RenameTemps(names []string) error {
	for _, name := range names {
		if err := d.MoveFile(TempName(name), d, name); err != nil {
			return errors.Join(err, d.RemoveTemps(names))
		}
	}
	return d.Sync()
}

// MoveFile renames a file. It replaces an existing one of that name. Where files cannot be
// renamed, it copies the file like cp(1), and therefore dkms, does.
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

// MoveNewFile renames a file. If there is one of that name, it returns fs.ErrExist.
func (d *Dir) MoveNewFile(from string, to *Dir, name string) error {
	err := d.call("rename", from, func(at int) error {
		return unix.Renameat2(at, from, int(to.file.Fd()), name, unix.RENAME_NOREPLACE)
	})
	if !IsRefused(err) {
		return err
	}
	if _, statErr := to.Lstat(name); !IsNotExist(statErr) {
		return errors.Join(statErr, fs.ErrExist)
	}
	return d.MoveFile(from, to, name)
}

func (d *Dir) RemoveTemps(names []string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, d.RemoveAll(TempName(name)))
	}
	return errors.Join(errs...)
}
