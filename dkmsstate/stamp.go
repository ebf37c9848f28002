package dkmsstate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"syscall"
	"time"
)

// stamp names the present state of files without reading them. The time of the last
// change is in it, which no unpacking can set: packages made for one
// SOURCE_DATE_EPOCH have the same times and often the same sizes in them.
type stamp struct{ state []byte }

// add adds a file to those that are named.
func (s *stamp) add(info os.FileInfo) {
	for _, n := range []int64{info.Size(), info.ModTime().UnixNano(), Changed(info).UnixNano(), int64(info.Mode())} {
		s.state = binary.LittleEndian.AppendUint64(s.state, uint64(n))
	}
}

// addFile adds a file by its path; that there is none is a state as well.
func (s *stamp) addFile(path string) {
	info, err := os.Stat(path)
	if err != nil {
		s.state = append(s.state, 0)
		return
	}
	s.add(info)
}

// sum returns the name.
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

// Changed is when a file last changed in any way (ctime).
func Changed(info os.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
