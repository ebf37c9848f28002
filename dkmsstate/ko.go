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
	// name is what the module calls itself, "" where it does not say (before Linux 4.13),
	// and machine the processor that it is for.
	name    string
	machine elf.Machine
}

// release returns the kernel release that the module was built for.
func (ko Ko) release() string {
	release, _, _ := strings.Cut(ko.Vermagic, " ")
	return release
}

// signatureMark ends a signed module (kernel, scripts/sign-file.c).
const signatureMark = "~Module signature appended~\n"

// maxKo bounds a module in memory; the largest known has 100 MB.
const maxKo = 512 << 20

// readKo reads a module's file, compressed or not.
func readKo(ctx context.Context, path string) (Ko, error) {
	data, err := koBytes(ctx, path)
	if err != nil && !errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w: %w", errUnread, err)
	}
	if err != nil {
		return Ko{}, fmt.Errorf("cannot read the module %s: %w", filepath.Base(path), err)
	}
	ko, err := parseKo(data)
	if err != nil {
		return Ko{}, fmt.Errorf("cannot read the module %s: %w", filepath.Base(path), err)
	}
	return ko, nil
}

// errDamaged says that a file is no module, or only a part of one, whoever reads it.
const errDamaged = sentinel("is damaged")

// errUnread says that a file could not be read here, which proves nothing about it.
const errUnread = sentinel("it cannot be examined")

// koBytes gives a module as it is when it is not compressed.
func koBytes(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return koContents(path)
}

// koContents returns the contents of a module's file, decompressed. The first bytes say
// how it is compressed, as for kmod, whatever its name is. The error is errDamaged when
// the file ends too early or is not what it says.
func koContents(path string) ([]byte, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, 6)
	n, err := file.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	start, err = start[:n], nil
	var from io.Reader = file
	switch {
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		from, err = gzip.NewReader(file)
	case bytes.HasPrefix(start, []byte("\xfd7zXZ\x00")):
		from, err = xz.NewReader(file, 0)
	case bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")):
		unpacked, openErr := zstd.NewReader(file, zstd.WithDecoderConcurrency(1))
		if openErr != nil {
			return nil, damaged(openErr)
		}
		defer unpacked.Close()
		from = unpacked
	}
	if err != nil {
		return nil, damaged(err)
	}
	data, err := readBounded(from)
	return data, damaged(err)
}

// damaged marks the errors of a decompressor by which the file is damaged, whatever
// reads it. Others, such as a window that is too large for this reader, prove nothing.
func damaged(err error) error {
	for _, certain := range []error{
		io.ErrUnexpectedEOF, io.EOF, gzip.ErrChecksum, xz.ErrData, xz.ErrFormat, xz.ErrBuf,
		zstd.ErrCRCMismatch, zstd.ErrFrameSizeMismatch, zstd.ErrFrameSizeExceeded, zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize,
	} {
		if err != nil && errors.Is(err, certain) {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return err
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
		if value, ok := strings.CutPrefix(entry, "name="); ok {
			ko.name = value
		}
	}
	if ko.Vermagic == "" {
		return Ko{}, errors.New("not a module: it has no vermagic")
	}
	ko.machine = file.Machine
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
