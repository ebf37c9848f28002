package shvars

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/regular"
)

// maxSize bounds the size of a file that is parsed. The longest known dkms.conf has 30 kB.
const maxSize = 1 << 20

// Source returns the assignments after a file was read in the same shell. err means that dkms
// cannot use the file either. trouble means that the file cannot be parsed or read here. In
// that case nothing is known about its assignments.
func (as Assignments) Source(path string) (out Assignments, trouble, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "read", Path: path, Err: regular.ErrNotRegular}
	case info.Size() > maxSize:
		trouble = fmt.Errorf("%s has %d bytes, more than the limit of %d", path, info.Size(), maxSize)
	default:
		var data []byte
		if data, trouble = regular.ReadFile(path); trouble == nil {
			out, trouble = as.then(data, path)
		}
	}
	if trouble != nil {
		out = Opaque()
	}
	return out, trouble, err
}

// SourceIfThere is Source for a file that dkms reads only if it exists. It returns the
// assignments unchanged if the path is a directory or a socket, which cannot be sourced, or
// /dev/null, which is empty.
func (as Assignments) SourceIfThere(path string) (Assignments, error, error) {
	out, trouble, err := as.Source(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, regular.ErrNotRegular) && saysNothing(path) {
		return as, nil, nil
	}
	return out, trouble, err
}

func saysNothing(path string) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFSOCK:
		return true
	}
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(1, 3)
}
