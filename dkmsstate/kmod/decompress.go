package kmod

import (
	"bufio"
	"errors"
	"io"
)

// Decompress returns a reader of data that is compressed as a module can be: by gzip, xz or zstd.
// It returns nil for anything else. window bounds how far back the data may refer, in bytes.
func Decompress(from *bufio.Reader, window int) (io.Reader, error) {
	start, err := from.Peek(longestMagic)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	open := decompressor(start)
	if open == nil {
		return nil, nil
	}
	return open(from, window)
}
