package kmod

import (
	"errors"
	"fmt"
	"io"
	"os"

	"dkms-hooks/dkmsstate/regular"
)

// contents are the bytes of a module as they are when it is not compressed. They are never
// in memory as a whole, unless they are few: the largest modules known have 300 MB.
type contents struct {
	size int64
	from io.ReaderAt
	// failed is the first error by which they could not be read, other than their end. What
	// was concluded from them then proves nothing.
	failed error
	file   *os.File
}

// maxSize bounds a module, lest a file of zeros, compressed, be read for hours.
const maxSize = 512 << 20

// ReadAt is that of io.ReaderAt.
func (c *contents) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.from.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		c.fail(err)
	}
	return n, err
}

// fail notes an error, unless there is one.
func (c *contents) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// part returns what reads a part of the contents.
func (c *contents) part(at, size int64) *io.SectionReader { return io.NewSectionReader(c, at, size) }

// endsWith reports whether the contents up to a size end with a text.
func (c *contents) endsWith(size int64, text string) bool {
	end := make([]byte, len(text))
	at := size - int64(len(text))
	if at < 0 {
		return false
	}
	_, err := c.ReadAt(end, at)
	return err == nil && string(end) == text
}

// rest releases what memory it takes to read on; the contents can be read again.
func (c *contents) rest() {
	if u, compressed := c.from.(*unpacked); compressed {
		u.rest()
	}
}

func (c *contents) close() {
	c.rest()
	c.file.Close()
}

// open opens a module's file, compressed or not. The error is ErrDamaged when the file ends
// too early or is not what it says, and errMuch when it takes more memory than is allowed.
func (m memory) open(path string) (*contents, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	c := &contents{file: file}
	if err := c.begin(m); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// begin finds out how the contents are read and how long they are. The first bytes say how
// they are compressed, as for kmod, whatever the file's name is.
func (c *contents) begin(m memory) error {
	start := make([]byte, longestMagic)
	n, err := c.file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if open := decompressor(start[:n]); open != nil {
		u := &unpacked{file: c.file, memory: m, open: open}
		c.from, err = u, u.readAll()
		c.size = u.size
	} else {
		c.from = c.file
		c.size, err = c.file.Seek(0, io.SeekEnd)
	}
	if err == nil && c.size > maxSize {
		err = fmt.Errorf("it has more than %d bytes", maxSize)
	}
	return damaged(err)
}
