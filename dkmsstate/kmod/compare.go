package kmod

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"dkms-hooks/dkmsstate/regular"
)

// Copy is the result of comparing an installed file with the built one.
type Copy string

// CopyMissing means that there is no installed file, and CopyDamaged that it is certainly
// unusable. CopyAltered means that it differs from the built file, but nothing proves that it
// is unusable. CopySame means that it equals the built file.
//
// Only a missing or damaged file is repaired. A file that merely differs is the work of the
// machine's owner: a signature, strip(1), another compression, a patched module. dkms reports
// such a module as installed (with differences) and leaves it.
const (
	CopyMissing Copy = "missing"
	CopyDamaged Copy = "damaged"
	CopyAltered Copy = "altered"
	CopySame    Copy = "same"
)

// Comparison is a Copy with its reason. Reason is "" for a file that is missing or the same.
// OtherABI reports whether the symbol versions differ, so that at most one of the two files
// fits the kernel. Compressed reports whether only the compression differs.
type Comparison struct {
	Copy                 Copy
	Reason               string
	OtherABI, Compressed bool
}

// Compare compares an installed file with the built one.
func (r *Reader) Compare(built, installed string) Comparison {
	info, err := os.Stat(installed)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(installed); err == nil {
			return Comparison{Copy: CopyDamaged, Reason: "is a dangling symbolic link"}
		}
		return Comparison{Copy: CopyMissing}
	case err != nil:
		return Comparison{Copy: CopyAltered, Reason: fmt.Sprintf("cannot be read: %v", err)}
	case !info.Mode().IsRegular():
		return Comparison{Copy: CopyDamaged, Reason: "is not a regular file"}
	case info.Size() == 0:
		return Comparison{Copy: CopyDamaged, Reason: "is empty"}
	}
	if SameFile(built, installed, info) {
		return Comparison{Copy: CopySame}
	}
	return r.compareContents(built, installed)
}

// SameFile reports whether two files have the same bytes or are the same file (symlink_modules
// of framework.conf(5)). info describes the installed one.
func SameFile(built, installed string, info os.FileInfo) bool {
	b, err := regular.Open(built)
	if err != nil {
		return false
	}
	defer b.Close()
	i, err := regular.Open(installed)
	if err != nil {
		return false
	}
	defer i.Close()
	binfo, err := b.Stat()
	if err != nil {
		return false
	}
	return os.SameFile(binfo, info) || binfo.Size() == info.Size() && sameBytes(b, i)
}

func sameBytes(a, b io.Reader) bool {
	const chunk = 64 << 10
	one, two := make([]byte, chunk), make([]byte, chunk)
	for {
		n, err := io.ReadFull(a, one)
		m, err2 := io.ReadFull(b, two)
		if n != m || !bytes.Equal(one[:n], two[:m]) {
			return false
		}
		if err != nil || err2 != nil {
			return isEnd(err) && isEnd(err2)
		}
	}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Superfluous reports whether a second file of the same module may be removed: it has the same
// contents as the first one, or is unusable.
func (c Comparison) Superfluous() bool {
	return c.Copy == CopyDamaged || c.Copy == CopySame || c.Compressed
}
