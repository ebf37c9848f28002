package kmod

import (
	"cmp"
	"debug/elf"
	"errors"
	"io"
	"slices"

	"dkms-hooks/dkmsstate/sentinel"
)

// tables are the section tables of a module.
type tables struct {
	*elf.File
	contents *contents
}

// maxTables bounds how many bytes are read to find the sections. maxPiece bounds how many are
// read of one section: a module that uses every symbol of a kernel has some megabytes of
// versions.
const (
	maxTables = 8 << 20
	maxPiece  = 4 << 20
)

// errLong means that a table is longer than any known one.
const errLong = sentinel.Error("it has a table that is too long")

// readTables reads the ELF header, the section headers and the section names.
func readTables(c *contents) (tables, error) {
	file, err := elf.NewFile(&bounded{c, maxTables})
	return tables{file, c}, err
}

// bounded reads contents until left bytes have been read. debug/elf reads as many bytes as a
// file claims to have, and the file may be hostile.
type bounded struct {
	*contents
	left int64
}

// ReadAt implements io.ReaderAt.
func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= max(0, min(int64(len(p)), b.size-at)); b.left < 0 {
		b.fail(errLong)
		return 0, errLong
	}
	return b.contents.ReadAt(p, at)
}

// holds reports whether the whole section is in the file.
func (t tables) holds(s *elf.Section) bool {
	return s.Type != elf.SHT_NOBITS && (s.FileSize == 0 || s.Offset+s.FileSize <= uint64(t.contents.size))
}

// section returns a reader of a section.
func (t tables) section(s *elf.Section) *io.SectionReader {
	return t.contents.part(int64(s.Offset), int64(s.FileSize))
}

// piece is a part of a module to be read. data is nil until it is read.
type piece struct {
	at, size int64
	data     []byte
	// use, if not nil, is called with the data.
	use func(data []byte)
}

// piece returns the section with the given name, or an empty piece if there is none.
func (t tables) piece(name string) *piece {
	s := t.Section(name)
	if s == nil || !t.holds(s) {
		return &piece{}
	}
	return &piece{at: int64(s.Offset), size: int64(s.FileSize)}
}

// read reads pieces in the order of their offsets, so that compressed contents are decompressed
// only once. A piece that cannot be read stays empty.
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
