package main

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// output is stdout. It keeps the first error, which whoever wrote may have ignored.
type output struct {
	io.Writer
	err error
}

// Write writes to stdout. A reader that has read enough is no error.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil && !errors.Is(err, unix.EPIPE) {
		o.err = err
	}
	return n, err
}
