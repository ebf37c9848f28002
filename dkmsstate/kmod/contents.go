package kmod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"dkms-hooks/dkmsstate/regular"
)

// contents are the uncompressed bytes of a module. Only those of small modules are in memory as
// a whole: the largest known modules have 300 MB.
type contents struct {
	size int64
	from io.ReaderAt
	// failed is the first error, other than io.EOF, by which the contents could not be read.
	// After it, conclusions from the contents prove nothing.
	failed error
	file   *os.File
}

// maxSize bounds the uncompressed size of a module. Otherwise a compressed file of zeros could
// be read for hours.
const maxSize = 512 << 20

// ReadAt implements io.ReaderAt.
func (c *contents) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.from.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		c.fail(err)
	}
	return n, err
}

// fail records an error, unless one is recorded already.
func (c *contents) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// part returns a reader of a part of the contents.
func (c *contents) part(at, size int64) *io.SectionReader { return io.NewSectionReader(c, at, size) }

// endsWith reports whether the first size bytes of the contents end with text.
func (c *contents) endsWith(size int64, text string) bool {
	end := make([]byte, len(text))
	at := size - int64(len(text))
	if at < 0 {
		return false
	}
	_, err := c.ReadAt(end, at)
	return err == nil && string(end) == text
}

// rest releases the memory of the decompressor. The contents can still be read afterwards.
func (c *contents) rest() {
	if u, compressed := c.from.(*unpacked); compressed {
		u.rest()
	}
}

func (c *contents) close() {
	c.rest()
	c.file.Close()
}

// open opens the file of a module, compressed or not. The error is ErrDamaged if the file is
// truncated or corrupt, and errMuch if it needs more memory than the limit.
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

// withContents opens the file of a module and calls use with its contents, within the limits of
// memories in turn.
func (r *Reader) withContents(ctx context.Context, path string, use func(c *contents) error) error {
	return r.inTurn(func(m memory) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := m.open(path)
		if err != nil {
			return err
		}
		defer c.close()
		return use(c)
	})
}

// begin determines the compression and the size of the contents. As in kmod, the compression is
// recognised by the first bytes, whatever the file name is.
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
		err = fmt.Errorf("it is larger than %d bytes", maxSize)
	}
	return damaged(err)
}
