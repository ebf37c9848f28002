// Package regular opens, reads and creates regular files. Anything else, such as a pipe that nobody
// writes to, is an error and does not block.
package regular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"dkms-hooks/dkmsstate/sentinel"

	"golang.org/x/sys/unix"
)

// ErrNotRegular means that a path is a directory, a device or a pipe, or a symbolic link that is not
// to be followed.
const ErrNotRegular = sentinel.Error("not a regular file")

// MaxSize bounds how much is read of one file. The longest known one, a Module.symvers, has
// some megabytes.
const MaxSize = 256 << 20

// Open opens a regular file. It follows symbolic links.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY) }

// OpenNoFollow opens a regular file. It does not follow a symbolic link in the place of the file.
func OpenNoFollow(path string) (*os.File, error) { return open(path, os.O_RDONLY|unix.O_NOFOLLOW) }

// Create creates a file that everybody can read, or empties the regular file that is there. It does
// not follow a symbolic link in the place of the file.
func Create(path string) (*os.File, error) {
	return open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW)
}

func open(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|unix.O_NONBLOCK, 0o644)
	// A pipe that nobody reads is refused to a writer (ENXIO), and a symbolic link with O_NOFOLLOW
	// (ELOOP), see open(2).
	if errors.Is(err, unix.ENXIO) || flags&unix.O_NOFOLLOW != 0 && errors.Is(err, unix.ELOOP) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// WithoutPath returns what went wrong with a file, without its path.
func WithoutPath(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// ReadFile returns the contents of a regular file of at most MaxSize bytes.
func ReadFile(path string) ([]byte, error) { return ReadAtMost(path, MaxSize) }

// ReadAtMost returns the contents of a regular file. A file of more than limit bytes is an error.
func ReadAtMost(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var data bytes.Buffer
	if info, err := file.Stat(); err == nil && info.Size() < limit {
		data.Grow(int(info.Size()) + bytes.MinRead)
	}
	_, err = data.ReadFrom(io.LimitReader(file, limit+1))
	if err == nil && int64(data.Len()) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", limit)}
	}
	return data.Bytes(), err
}
