package dkmsstate

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// Ko is what a kernel module says of the kernel that it was built for.
type Ko struct {
	// Vermagic is what the kernel compares first: the release and some options.
	Vermagic string
	// Uses are the symbols that it takes from elsewhere with the CRC that each had;
	// none without CONFIG_MODVERSIONS. Exports are those that it gives to others.
	Uses, Exports map[string]uint32
	// Signed says that a signature stands at its end.
	Signed bool
}

// signatureMark ends a signed module (kernel, scripts/sign-file.c).
const signatureMark = "~Module signature appended~\n"

// maxKo bounds a module in memory; the largest known has 100 MB.
const maxKo = 512 << 20

// readKo reads a module's file, compressed or not.
func readKo(ctx context.Context, path string) (Ko, error) {
	data, err := koBytes(ctx, path)
	if err != nil {
		return Ko{}, fmt.Errorf("cannot read the module %s: %w", filepath.Base(path), err)
	}
	ko, err := parseKo(data)
	if err != nil {
		return Ko{}, fmt.Errorf("cannot read the module %s: %w", filepath.Base(path), err)
	}
	return ko, nil
}

// koBytes gives a module as it is when it is not compressed.
func koBytes(ctx context.Context, path string) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch filepath.Ext(path) {
	case ".gz":
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			return nil, err
		}
		return readBounded(unpacked)
	case ".xz":
		unpacked, err := xz.NewReader(file, 0)
		if err != nil {
			return nil, err
		}
		return readBounded(unpacked)
	case ".zst":
		unpacked, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer unpacked.Close()
		return readBounded(unpacked)
	}
	return readBounded(file)
}

func readBounded(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxKo+1))
	if err == nil && len(data) > maxKo {
		err = fmt.Errorf("it has more than %d bytes", maxKo)
	}
	return data, err
}

// parseKo reads a module that is not compressed. It never panics, whatever the
// bytes are.
func parseKo(data []byte) (ko Ko, err error) {
	defer func() { // debug/elf makes no promise on hostile files
		if r := recover(); r != nil {
			err = fmt.Errorf("not a module: %v", r)
		}
	}()
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return Ko{}, fmt.Errorf("not a module: %w", err)
	}
	for _, entry := range strings.Split(string(section(file, ".modinfo")), "\x00") {
		if value, ok := strings.CutPrefix(entry, "vermagic="); ok {
			ko.Vermagic = strings.TrimSpace(value)
		}
	}
	if ko.Vermagic == "" {
		return Ko{}, errors.New("not a module: it has no vermagic")
	}
	ko.Uses = uses(file)
	ko.Exports = exports(file)
	ko.Signed = bytes.HasSuffix(data, []byte(signatureMark))
	return ko, nil
}

func section(file *elf.File, name string) []byte {
	s := file.Section(name)
	if s == nil || s.Type == elf.SHT_NOBITS {
		return nil
	}
	data, err := s.Data()
	if err != nil {
		return nil
	}
	return data
}

// uses reads __versions, whose entries have 64 bytes each: a long with the CRC,
// the rest the name; and what kernels from 6.14 on may have beside it.
func uses(file *elf.File) map[string]uint32 {
	const entry = 64
	long := 8
	if file.Class == elf.ELFCLASS32 {
		long = 4
	}
	out := map[string]uint32{}
	for data := section(file, "__versions"); len(data) >= entry; data = data[entry:] {
		crc := file.ByteOrder.Uint32(data)
		if long == 8 && file.ByteOrder == binary.BigEndian {
			crc = file.ByteOrder.Uint32(data[4:])
		}
		if name, _, _ := bytes.Cut(data[long:entry], []byte{0}); len(name) > 0 {
			out[string(name)] = crc
		}
	}
	crcs := section(file, "__version_ext_crcs")
	for _, name := range bytes.Split(section(file, "__version_ext_names"), []byte{0}) {
		if len(name) == 0 || len(crcs) < 4 {
			break
		}
		out[string(name)] = file.ByteOrder.Uint32(crcs)
		crcs = crcs[4:]
	}
	return out
}

// exports reads the CRCs of the symbols that a module exports, each a symbol
// __crc_NAME: in kernels from 5.19 on one of a section of CRCs, before an absolute
// one.
func exports(file *elf.File) map[string]uint32 {
	out := map[string]uint32{}
	symbols, _ := file.Symbols()
	crcs := map[elf.SectionIndex][]byte{}
	for _, symbol := range symbols {
		name, ok := strings.CutPrefix(symbol.Name, "__crc_")
		if !ok {
			continue
		}
		if symbol.Section == elf.SHN_ABS {
			out[name] = uint32(symbol.Value)
			continue
		}
		if int(symbol.Section) >= len(file.Sections) {
			continue
		}
		data, known := crcs[symbol.Section]
		if !known {
			data, _ = file.Sections[symbol.Section].Data()
			crcs[symbol.Section] = data
		}
		if at := symbol.Value; at < uint64(len(data)) && uint64(len(data))-at >= 4 {
			out[name] = file.ByteOrder.Uint32(data[at:])
		}
	}
	return out
}
