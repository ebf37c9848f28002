package record

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Inherited reports whether a process was started by the holder of the lock, directly or not:
// it has the mark in its environment, or the lock's file among its descriptors. A process that
// has neither may be anybody's.
func (k *Lock) Inherited(pid int) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	if environ, err := os.ReadFile(filepath.Join(proc, "environ")); err == nil {
		mark := []byte(RunVariable + "=" + k.mark)
		if slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(entry []byte) bool { return bytes.Equal(entry, mark) }) {
			return true
		}
	}
	own, err := k.file.Stat()
	if err != nil {
		return false
	}
	descriptors, _ := os.ReadDir(filepath.Join(proc, "fd"))
	return slices.ContainsFunc(descriptors, func(fd os.DirEntry) bool {
		info, err := os.Stat(filepath.Join(proc, "fd", fd.Name()))
		return err == nil && os.SameFile(own, info)
	})
}
