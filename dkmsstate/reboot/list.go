package reboot

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/nofollow"
)

// maxList bounds the size of a list of packages.
const maxList = 1 << 20

// merge adds the incoming list to the one that was set aside before.
func (d dirs) merge() error {
	if !has(d.aside, incoming) {
		return nil
	}
	if !has(d.aside, list) {
		return d.aside.MoveFile(incoming, d.aside, list)
	}
	before, err := read(d.aside, list)
	if err != nil {
		return err
	}
	more, err := read(d.aside, incoming)
	if err != nil {
		return err
	}
	err = d.aside.WriteFile(list, 0o644, func(to *os.File) error {
		_, err := to.Write(mergeLists(before, more))
		return err
	})
	if err != nil {
		return err
	}
	return d.aside.Remove(incoming)
}

// read reads a list.
func read(in *nofollow.Dir, name string) ([]byte, error) {
	file, err := in.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxList+1))
	if err == nil && len(data) > maxList {
		err = fmt.Errorf("%s is larger than %d bytes", file.Name(), maxList)
	}
	return data, err
}

// mergeLists returns the lines of two lists, each once.
func mergeLists(before, more []byte) []byte {
	var merged []byte
	seen := map[string]bool{"": true}
	for _, data := range [][]byte{before, more} {
		for line := range bytes.Lines(data) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			if !seen[string(line)] {
				seen[string(line)] = true
				merged = append(append(merged, line...), '\n')
			}
		}
	}
	return merged
}
