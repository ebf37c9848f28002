package record

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// OpenIn reports whether a process has the lock's file among its descriptors: the holder or what it
// started has given it on.
func (k *Lock) OpenIn(pid int) bool {
	own, err := k.file.Stat()
	if err != nil {
		return false
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	descriptors, _ := os.ReadDir(dir)
	return slices.ContainsFunc(descriptors, func(fd os.DirEntry) bool {
		info, err := os.Stat(filepath.Join(dir, fd.Name()))
		return err == nil && os.SameFile(own, info)
	})
}
