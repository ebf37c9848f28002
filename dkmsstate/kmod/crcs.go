package kmod

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"strings"
)

// crcPrefix begins the name of a symbol that holds the CRC of an exported symbol.
const crcPrefix = "__crc_"

// maxExports bounds the number of symbols that a module exports. A kernel with all its modules
// exports half as many.
const maxExports = 1 << 16

// crcs finds the CRCs of the symbols that a module exports. The CRC of the symbol NAME is in
// the symbol __crc_NAME. Since Linux 5.19 that is a symbol of a section of CRCs, before it was
// an absolute one. crcs puts the absolute ones into out. It returns the pieces of the module
// that hold the others. Reading a piece puts its CRC into out.
//
// A module may have hundreds of thousands of symbols, and most of them are irrelevant. The
// names are therefore read before the symbols, and neither table is kept.
func (t tables) crcs(out map[string]uint32) []*piece {
	symbols := t.SectionByType(elf.SHT_SYMTAB)
	if symbols == nil || symbols.Link == 0 || uint64(symbols.Link) >= uint64(len(t.Sections)) || !t.holds(symbols) {
		return nil
	}
	names := t.crcNames(t.Sections[symbols.Link])
	if len(names) == 0 {
		return nil
	}
	var pieces []*piece
	t.eachSymbol(symbols, func(s elf.Sym64) {
		name, ok := names[s.Name]
		switch {
		case !ok:
		case elf.SectionIndex(s.Shndx) == elf.SHN_ABS:
			out[name] = uint32(s.Value)
		default:
			if p := t.crc(s); p != nil {
				p.use = func(data []byte) { out[name] = t.ByteOrder.Uint32(data) }
				pieces = append(pieces, p)
			}
		}
	})
	return pieces
}

// crc returns the piece that holds the CRC of a symbol, or nil if it is not in the symbol's
// section.
func (t tables) crc(s elf.Sym64) *piece {
	const size = 4
	if int(s.Shndx) >= len(t.Sections) {
		return nil
	}
	in := t.Sections[s.Shndx]
	if !t.holds(in) || s.Value > in.FileSize || in.FileSize-s.Value < size {
		return nil
	}
	return &piece{at: int64(in.Offset + s.Value), size: size}
}

// crcNames returns the names of exported symbols by the offsets in the string table at which
// the names of their CRC symbols begin. The name of a symbol may be the end of another name.
func (t tables) crcNames(table *elf.Section) map[uint32]string {
	names := map[uint32]string{}
	if !t.holds(table) {
		return names
	}
	const longest = 64 << 10
	lines, at := bufio.NewReaderSize(t.section(table), int(min(longest, table.FileSize))), 0
	for {
		name, err := lines.ReadSlice(0)
		for i := 0; err == nil && len(names) <= maxExports; i++ {
			next := bytes.Index(name[i:], []byte(crcPrefix))
			if next < 0 {
				break
			}
			i += next
			names[uint32(at+i)] = strings.TrimSuffix(string(name[i+len(crcPrefix):]), "\x00")
		}
		at += len(name)
		switch {
		case len(names) > maxExports:
			t.contents.fail(errLong)
			return names
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return names
		}
	}
}

// eachSymbol calls do for each symbol of a table except the first, which is undefined.
func (t tables) eachSymbol(table *elf.Section, do func(elf.Sym64)) {
	const buffer = 64 << 10
	size, read := elf.Sym64Size, t.symbol64
	if t.Class == elf.ELFCLASS32 {
		size, read = elf.Sym32Size, t.symbol32
	}
	if table.FileSize%uint64(size) != 0 {
		return
	}
	in, entry := bufio.NewReaderSize(t.section(table), int(min(buffer, table.FileSize))), make([]byte, size)
	for i := 0; ; i++ {
		if _, err := io.ReadFull(in, entry); err != nil {
			return
		}
		if i > 0 {
			do(read(entry))
		}
	}
}

func (t tables) symbol64(b []byte) elf.Sym64 {
	return elf.Sym64{Name: t.ByteOrder.Uint32(b), Info: b[4], Shndx: t.ByteOrder.Uint16(b[6:]), Value: t.ByteOrder.Uint64(b[8:])}
}

func (t tables) symbol32(b []byte) elf.Sym64 {
	return elf.Sym64{Name: t.ByteOrder.Uint32(b), Info: b[12], Shndx: t.ByteOrder.Uint16(b[14:]), Value: uint64(t.ByteOrder.Uint32(b[4:]))}
}
