package kmod

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// unpacked reads the contents of a compressed file at any offset. The file is decompressed to
// its end once, and the last part is kept: all of a small module, and the tables of a large
// one. To read something before that part, the file is decompressed again from the beginning,
// or from the place of the last read on.
type unpacked struct {
	file   *os.File
	memory memory
	open   func(from io.Reader, window int) (stream, error)
	size   int64
	end    []byte
	// stream returns the contents from offset at on. It is nil while nothing is being
	// decompressed.
	stream stream
	at     int64
	passes int
}

// stream is a decompressor that can be restarted with another input.
type stream interface {
	io.Reader
	Reset(from io.Reader) error
}

// longestMagic is the number of bytes that identify the compression.
const longestMagic = 6

// maxPasses bounds how often a file is decompressed. A normal module takes a few passes. One
// whose tables refer backwards could take thousands.
const maxPasses = 16

// decompressor returns a function that opens a decompressor, by the first bytes of the file. It
// returns nil for a file that is not compressed.
func decompressor(start []byte) func(from io.Reader, window int) (stream, error) {
	switch {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		return func(from io.Reader, _ int) (stream, error) { return gzip.NewReader(from) }
	case bytes.HasPrefix(start, []byte("\xfd7zXZ\x00")):
		return func(from io.Reader, window int) (stream, error) { return xz.NewReader(from, uint32(window)) }
	case bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")):
		return func(from io.Reader, window int) (stream, error) {
			return zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
		}
	}
	return nil
}

// readAll decompresses the file to its end and keeps the last part.
func (u *unpacked) readAll() error {
	if err := u.restart(); err != nil {
		return err
	}
	for {
		if err := u.makeRoom(); err != nil {
			return err
		}
		n, err := u.stream.Read(u.end[len(u.end):cap(u.end)])
		u.end, u.size = u.end[:len(u.end)+n], u.size+int64(n)
		u.at = u.size
		if err != nil || u.size > maxSize {
			return u.asMuch(ended(err))
		}
	}
}

// makeRoom makes room in end. When the limit is reached, it drops the first half of what is
// kept if the limit is for one reader alone, and returns errMuch otherwise.
func (u *unpacked) makeRoom() error {
	const least, ratio = 64 << 10, 4 // modules are compressed to a quarter or less
	half := u.memory.kept / 2
	switch {
	case len(u.end) < cap(u.end):
	case len(u.end) < u.memory.kept:
		u.end = append(make([]byte, 0, min(u.memory.kept, max(least, ratio*u.packed(), 2*cap(u.end)))), u.end...)
	case !u.memory.alone:
		return errMuch
	default:
		u.end = u.end[:copy(u.end, u.end[half:])]
	}
	return nil
}

// packed returns the size of the file, but no more than is kept.
func (u *unpacked) packed() int {
	info, err := u.file.Stat()
	if err != nil {
		return 0
	}
	return int(min(info.Size(), int64(u.memory.kept)))
}

// ended returns nil for io.EOF, and any other error as it is.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// asMuch returns errMuch for an error that says that a window is too large, if a larger limit
// remains to be tried.
func (u *unpacked) asMuch(err error) error {
	large := errors.Is(err, xz.ErrMemlimit) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded)
	if large && !u.memory.alone {
		return errMuch
	}
	return err
}

// restart restarts decompression from the beginning of the file.
func (u *unpacked) restart() (err error) {
	if u.passes++; u.passes > maxPasses {
		return errors.New("it would have to be decompressed too many times")
	}
	u.at = 0
	from := io.NewSectionReader(u.file, 0, 1<<62)
	if u.stream != nil {
		return u.stream.Reset(from)
	}
	u.stream, err = u.open(from, u.memory.window)
	if err != nil {
		u.stream = nil
	}
	return u.asMuch(err)
}

// ReadAt implements io.ReaderAt.
func (u *unpacked) ReadAt(p []byte, at int64) (int, error) {
	left := u.size - at
	if left <= 0 || at < 0 {
		return 0, io.EOF
	}
	n, err := u.readAt(p[:min(int64(len(p)), left)], at)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// readAt reads bytes that are within the contents.
func (u *unpacked) readAt(p []byte, at int64) (int, error) {
	if kept := u.size - int64(len(u.end)); at >= kept {
		return copy(p, u.end[at-kept:]), nil
	}
	if u.stream == nil || at < u.at {
		if err := u.restart(); err != nil {
			return 0, err
		}
	}
	skipped, err := io.CopyN(io.Discard, u.stream, at-u.at)
	u.at += skipped
	if err != nil {
		return 0, fmt.Errorf("cannot decompress it again: %v", err) // not wrapped: an io.EOF in it is not the end of the contents
	}
	n, err := io.ReadFull(u.stream, p)
	u.at += int64(n)
	if err != nil {
		return n, fmt.Errorf("cannot decompress it again: %v", err)
	}
	return n, nil
}

// rest releases the memory of the decompressor.
func (u *unpacked) rest() {
	if u.stream == nil {
		return
	}
	if z, ok := u.stream.(*zstd.Decoder); ok {
		z.Close()
	}
	u.stream = nil
	if u.memory.alone { // windows are large: free this one before the next is allocated
		debug.FreeOSMemory()
	}
}
