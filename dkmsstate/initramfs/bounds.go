package initramfs

import (
	"context"
	"errors"
	"io"
	"os"

	"dkms-hooks/dkmsstate/regular"
)

// bounds bounds what is read: files, what they unpack to, and what modules in them unpack to.
type bounds struct {
	ctx context.Context
	// left is how many bytes may still be read.
	left int64
	// failed is why a file could not be read.
	failed error
}

// check returns why nothing more is to be read, nil if there is no reason.
func (b *bounds) check() error {
	switch {
	case b.ctx.Err() != nil:
		return context.Cause(b.ctx)
	case b.failed != nil:
		return b.failed
	case b.left < 0:
		return errMuch
	}
	return nil
}

// explain returns the error of reading to the end. Decompressors hide that of what they read from.
func (b *bounds) explain(err error) error {
	if why := b.check(); why != nil {
		return why
	}
	return err
}

// count counts what was read, and returns the error of reading it.
func (b *bounds) count(n int, err error) (int, error) {
	b.left -= int64(n)
	if why := b.check(); why != nil {
		return n, why
	}
	return n, err
}

// file reads a file within bounds.
type file struct {
	bounds *bounds
	from   *os.File
}

// Read implements io.Reader.
func (f file) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	return f.count(n, err)
}

// ReadAt implements io.ReaderAt.
func (f file) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.from.ReadAt(p, at)
	return f.count(n, err)
}

// count notes an error of the file, which tells nothing about its contents.
func (f file) count(n int, err error) (int, error) {
	if err != nil && !errors.Is(err, io.EOF) {
		f.bounds.failed = regular.WithoutPath(err)
	}
	return f.bounds.count(n, err)
}

// unpacked reads what something unpacks to within bounds.
type unpacked struct {
	bounds *bounds
	from   io.Reader
}

// Read implements io.Reader.
func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	return u.bounds.count(n, err)
}

// close releases the memory of the decompressor.
func (u unpacked) close() {
	if z, ok := u.from.(interface{ Close() }); ok { // that of zstd
		z.Close()
	}
}
