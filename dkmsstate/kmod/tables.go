package kmod

import (
	"cmp"
	"debug/elf"
	"errors"
	"io"
	"slices"

	"dkms-hooks/dkmsstate/sentinel"
)

// tables say where everything is in a module.
type tables struct {
	*elf.File
	contents *contents
}

// maxTables bounds what is read to find the sections, and maxPiece what is read of one: a
// module that uses every symbol of a kernel has some megabytes of versions.
const (
	maxTables = 8 << 20
	maxPiece  = 4 << 20
)

// errLong says that a table is longer than any that is known.
const errLong = sentinel.Error("it has too long a table")

// readTables reads the header, the sections' headers and their names.
func readTables(c *contents) (tables, error) {
	file, err := elf.NewFile(&bounded{c, maxTables})
	return tables{file, c}, err
}

// bounded reads contents until it has read a number of bytes. debug/elf reads as many as
// a file says, which may be hostile.
type bounded struct {
	*contents
	left int64
}

// ReadAt is that of io.ReaderAt.
func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= max(0, min(int64(len(p)), b.size-at)); b.left < 0 {
		b.fail(errLong)
		return 0, errLong
	}
	return b.contents.ReadAt(p, at)
}

// holds reports whether a section is in the file, and all of it.
func (t tables) holds(s *elf.Section) bool {
	return s.Type != elf.SHT_NOBITS && (s.FileSize == 0 || s.Offset+s.FileSize <= uint64(t.contents.size))
}

// section returns what reads a section.
func (t tables) section(s *elf.Section) *io.SectionReader {
	return t.contents.part(int64(s.Offset), int64(s.FileSize))
}

// piece is a part of a module to be read, and its bytes when it was.
type piece struct {
	at, size int64
	data     []byte
	// use is called with the bytes, if it is not nil.
	use func(data []byte)
}

// piece returns the section of a name, an empty piece where there is none.
func (t tables) piece(name string) *piece {
	s := t.Section(name)
	if s == nil || !t.holds(s) {
		return &piece{}
	}
	return &piece{at: int64(s.Offset), size: int64(s.FileSize)}
}

// read reads pieces in the order in which they lie, so that what is compressed is
// decompressed once. One that cannot be read stays empty.
func (c *contents) read(pieces []*piece) {
	slices.SortStableFunc(pieces, func(a, b *piece) int { return cmp.Compare(a.at, b.at) })
	for _, p := range pieces {
		if p.size > maxPiece {
			c.fail(errLong)
		}
		if c.failed != nil {
			return
		}
		data := make([]byte, p.size)
		if _, err := c.ReadAt(data, p.at); err != nil && !(errors.Is(err, io.EOF) && p.size == 0) {
			continue
		}
		if p.data = data; p.use != nil {
			p.use(data)
		}
	}
}
