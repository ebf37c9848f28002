package dkmsstate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate/regular"
)

// Copy is how an installed file compares with the built one.
type Copy string

// The installed file is missing, is certainly of no use, differs although it is the
// same module for the same kernel, is what another DKMS module built, or equals the
// built file.
//
// Only what is missing or damaged is repaired. A file that merely differs is the work
// of the machine's owner: a signature, strip(1), another compression, a patched module.
// dkms reports such a module as installed (with differences) and leaves it.
const (
	CopyMissing Copy = "missing"
	CopyDamaged Copy = "damaged"
	CopyAltered Copy = "altered"
	CopyForeign Copy = "foreign"
	CopySame    Copy = "same"
)

// comparison is a Copy with its reason, which is "" for a file that is missing or the
// same. OtherABI reports whether symbol versions differ, so that only one of the two
// files fits the kernel, and Compressed whether nothing but the compression differs.
type comparison struct {
	Copy                 Copy
	Reason               string
	OtherABI, Compressed bool
}

// compare compares an installed file with the built one.
func (l Layout) compare(built, installed string) comparison {
	info, err := os.Stat(installed)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(installed); err == nil {
			return comparison{Copy: CopyDamaged, Reason: "is a link to nothing"}
		}
		return comparison{Copy: CopyMissing}
	case err != nil:
		return comparison{Copy: CopyAltered, Reason: fmt.Sprintf("cannot be read: %v", err)}
	case !info.Mode().IsRegular():
		return comparison{Copy: CopyDamaged, Reason: "is not a regular file"}
	case info.Size() == 0:
		return comparison{Copy: CopyDamaged, Reason: "is empty"}
	}
	if sameFiles(built, installed, info) {
		return comparison{Copy: CopySame}
	}
	return l.compareContents(built, installed)
}

// sameFiles reports whether two files have the same bytes, or are one file
// (symlink_modules of framework.conf(5)).
func sameFiles(built, installed string, info os.FileInfo) bool {
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

// installedCopy returns the name of the installed file of a module: the name of the
// built one, or the name that the file has when its owner compressed or decompressed it.
func (s *Snapshot) installedCopy(b Build, name string) string {
	if s.installed(name) {
		return name
	}
	for _, variant := range variants(trimKo(name)) {
		if s.installed(variant) && !b.has(variant) {
			return variant
		}
	}
	return name
}

// compareFile compares a file of a build with what is installed, and finds other installed
// files of the same module that are certainly superfluous.
func (s *Snapshot) compareFile(b Build, built string, f File) File {
	place := s.Layout.installDir(s.Kernel)
	f.Installed = s.installedCopy(b, f.Name)
	f.set(s.Layout.compare(built, filepath.Join(place, f.Installed)))
	if f.Copy == CopyMissing {
		f.Installed = f.Name
		return f
	}
	for _, variant := range variants(trimKo(f.Name)) {
		if variant == f.Installed || !s.installed(variant) || b.has(variant) {
			continue
		}
		if c := s.Layout.compare(filepath.Join(place, f.Installed), filepath.Join(place, variant)); c.superfluous() {
			f.Twins = append(f.Twins, variant)
		}
	}
	return f
}

// superfluous reports whether a file beside another one of the same module may go: it
// holds the same, or nothing of use.
func (c comparison) superfluous() bool {
	return c.Copy == CopyDamaged || c.Copy == CopySame || c.Compressed
}

func (f *File) set(c comparison) { f.Copy, f.Reason, f.OtherABI = c.Copy, c.Reason, c.OtherABI }
