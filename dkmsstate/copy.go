package dkmsstate

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
func compare(built, installed string) comparison {
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
	return compareContents(built, installed)
}

// sameFiles reports whether two files have the same bytes, or are one file
// (symlink_modules of framework.conf(5)).
func sameFiles(built, installed string, info os.FileInfo) bool {
	b, err := openRegular(built)
	if err != nil {
		return false
	}
	defer b.Close()
	i, err := openRegular(installed)
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

// compareContents compares two files whose bytes differ by what they hold once they are
// decompressed. What cannot be told leaves the installed file to its owner.
func compareContents(built, installed string) comparison {
	its, err := koContents(installed)
	if err != nil {
		if errors.Is(err, errDamaged) {
			return comparison{Copy: CopyDamaged, Reason: err.Error()}
		}
		return comparison{Copy: CopyAltered, Reason: fmt.Sprintf("cannot be compared: %v", err)}
	}
	theirs, err := parseKo(its)
	if err != nil {
		return comparison{Copy: CopyDamaged, Reason: "is " + err.Error()}
	}
	ours, err := koContents(built)
	if err != nil {
		return comparison{Copy: CopyAltered, Reason: fmt.Sprintf("cannot be compared with what was built: %v", err)}
	}
	mine, err := parseKo(ours)
	if err != nil {
		return comparison{Copy: CopyAltered, Reason: fmt.Sprintf("cannot be compared with what was built: %v", err)}
	}
	switch {
	case bytes.Equal(ours, its):
		return comparison{Copy: CopyAltered, Compressed: true, Reason: "is compressed in another way than what was built"}
	case isCutShort(its, ours):
		return comparison{Copy: CopyDamaged, Reason: "is cut short"}
	case theirs.machine != mine.machine:
		return comparison{Copy: CopyDamaged, Reason: "is a module for another architecture"}
	case theirs.name != mine.name:
		return comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is another module, %s", theirs.name)}
	case theirs.release() != mine.release():
		return comparison{Copy: CopyDamaged, Reason: fmt.Sprintf("is a module for another kernel, %s", theirs.release())}
	}
	if otherLayout(theirs, mine) {
		return comparison{Copy: CopyAltered, OtherABI: true, Reason: "was built for another ABI of this kernel"}
	}
	switch unsigned := withoutSignature(its); {
	case bytes.Equal(unsigned, withoutSignature(ours)):
		return comparison{Copy: CopyAltered, Reason: "has another signature than what was built"}
	case sameCode(unsigned, withoutSignature(ours)):
		return comparison{Copy: CopyAltered, Reason: "was stripped or signed after it was built"}
	}
	return comparison{Copy: CopyAltered, Reason: "has other contents than what was built"}
}

// otherLayout reports whether two modules name another CRC of module_layout, the symbol of
// vmlinux that every module uses, so that no kernel takes both. Other symbols may come from
// modules that take the place of the kernel's.
func otherLayout(a, b Ko) bool {
	return len(a.Uses) > 0 && len(b.Uses) > 0 && a.Uses[moduleLayout] != b.Uses[moduleLayout]
}

// isCutShort reports whether a module is the beginning of another and ends where neither
// the module nor its signature does.
func isCutShort(short, long []byte) bool {
	return len(short) < len(long) && bytes.HasPrefix(long, short) && len(short) != len(withoutSignature(long)) &&
		!bytes.HasSuffix(short, []byte(signatureMark))
}

// withoutSignature returns a module without the signature at its end: the signature,
// a struct module_signature of 12 bytes which ends with its length, and a mark
// (include/linux/module_signature.h).
func withoutSignature(data []byte) []byte {
	const header, length = 12, 4
	for {
		rest, signed := bytes.CutSuffix(data, []byte(signatureMark))
		if !signed || len(rest) < header {
			return data
		}
		size := int64(binary.BigEndian.Uint32(rest[len(rest)-length:]))
		if size > int64(len(rest)-header) {
			return data
		}
		data = rest[:len(rest)-header-int(size)]
	}
}

// sameCode reports whether two modules have the same contents in every section that the
// kernel loads, as a module and its stripped copy have.
func sameCode(a, b []byte) bool {
	one, two := loaded(a), loaded(b)
	if len(one) == 0 || len(one) != len(two) {
		return false
	}
	for name, data := range one {
		if other, ok := two[name]; !ok || !bytes.Equal(data, other) {
			return false
		}
	}
	return true
}

// loaded returns the contents of the sections that the kernel loads, by name, nil when
// they cannot be read.
func loaded(data []byte) (sections map[string][]byte) {
	defer func() { // debug/elf makes no promise on hostile files
		if recover() != nil {
			sections = nil
		}
	}()
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	sections = map[string][]byte{}
	for _, s := range file.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		contents, err := s.Data()
		if err != nil {
			return nil
		}
		sections[s.Name] = append(sections[s.Name], contents...)
	}
	return sections
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
	f.set(compare(built, filepath.Join(place, f.Installed)))
	if f.Copy == CopyMissing {
		f.Installed = f.Name
		return f
	}
	for _, variant := range variants(trimKo(f.Name)) {
		if variant == f.Installed || !s.installed(variant) || b.has(variant) {
			continue
		}
		if c := compare(filepath.Join(place, f.Installed), filepath.Join(place, variant)); c.superfluous() {
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
