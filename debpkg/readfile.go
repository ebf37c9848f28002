package debpkg

import (
	"fmt"
	"io"
	"io/fs"

	"dkms-hooks/dkmsstate/regular"
)

// maxFile bounds the size of a file of the database. The longest known status file has 6 MB.
const maxFile = 256 << 20

// readFile reads a regular file of the admin directory. What dpkg never creates there, such as
// a symbolic link, a directory, a device, or a pipe that nobody writes to, is an error and does
// not block.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	file, err := regular.OpenNoFollow(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, nil, err
	case info.Size() > maxFile:
		return nil, nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%d bytes are more than the limit of %d", info.Size(), maxFile)}
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, nil, fmt.Errorf("cannot read the whole of %s: %w", path, err)
	}
	return data, info, nil
}
