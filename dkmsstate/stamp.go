package dkmsstate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"syscall"
	"time"
)

// stamp identifies the present state of files without reading them. It includes the ctime,
// which unpacking cannot set: packages made with one SOURCE_DATE_EPOCH contain files with the
// same mtimes and often the same sizes.
type stamp struct{ state []byte }

// add adds a file to the stamp.
func (s *stamp) add(info os.FileInfo) {
	for _, n := range []int64{info.Size(), info.ModTime().UnixNano(), Changed(info).UnixNano(), int64(info.Mode())} {
		s.state = binary.LittleEndian.AppendUint64(s.state, uint64(n))
	}
}

// addFile adds a file by its path. That it does not exist is a state as well.
func (s *stamp) addFile(path string) {
	info, err := os.Stat(path)
	if err != nil {
		s.state = append(s.state, 0)
		return
	}
	s.add(info)
}

// addText adds a text that belongs to the state.
func (s *stamp) addText(text string) { s.state = append(append(s.state, text...), 0) }

// sum returns the stamp as a string.
func (s *stamp) sum() string {
	sum := sha256.Sum256(s.state)
	return hex.EncodeToString(sum[:16])
}

func StampFiles(paths ...string) string {
	var s stamp
	for _, path := range paths {
		s.addFile(path)
	}
	return s.sum()
}

// Changed returns when a file last changed in any way (ctime).
func Changed(info os.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
