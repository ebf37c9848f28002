package kmod

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

	"dkms-hooks/dkmsstate/sentinel"
)

// Module is what a kernel module says of the kernel that it was built for.
type Module struct {
	// Vermagic is what the kernel compares first: the release and some options.
	Vermagic string
	// Uses are the symbols that it takes from elsewhere with the CRC that each had;
	// none without CONFIG_MODVERSIONS. Exports are those that it gives to others.
	Uses, Exports map[string]uint32
	// Signed reports whether a signature stands at its end.
	Signed bool
	// name is what the module calls itself, "" where it does not say (before Linux 4.13),
	// and machine the processor that it is for.
	name    string
	machine elf.Machine
}

// release returns the kernel release that the module was built for.
func (ko Module) release() string {
	release, _, _ := strings.Cut(ko.Vermagic, " ")
	return release
}

// Read reads a module's file, compressed or not. The error is ErrDamaged or ErrNoModule
// where the file is certainly of no use, and ErrUnread otherwise.
func (r *Reader) Read(ctx context.Context, path string) (ko Module, err error) {
	err = r.inTurn(func(m memory) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, known, err := m.read(path)
		if err == nil {
			ko = known
			c.close()
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNoModule) {
		err = fmt.Errorf("%w: %w", ErrUnread, err)
	}
	if err != nil {
		return Module{}, fmt.Errorf("cannot read the module %s: %w", filepath.Base(path), err)
	}
	return ko, nil
}

// read opens a module's file and reads what it says. The error is ErrDamaged or
// ErrNoModule where the file is certainly of no use.
func (m memory) read(path string) (*contents, Module, error) {
	c, err := m.open(path)
	if err != nil {
		return nil, Module{}, err
	}
	ko, err := parse(c)
	if err != nil {
		c.close()
		return nil, Module{}, err
	}
	return c, ko, nil
}

// ErrDamaged says that a file is no module, or only a part of one, whoever reads it.
const ErrDamaged = sentinel.Error("is damaged")

// ErrNoModule says that a file is whole, and something else than a module.
const ErrNoModule = sentinel.Error("not a module")

// ErrUnread says that a file could not be read here, which proves nothing about it.
const ErrUnread = sentinel.Error("it cannot be examined")

// damaged marks the errors of a decompressor by which the file is damaged, whatever
// reads it. Others, such as a window that is too large for this reader, prove nothing.
func damaged(err error) error {
	for _, certain := range []error{
		io.ErrUnexpectedEOF, io.EOF, gzip.ErrChecksum, xz.ErrData, xz.ErrFormat, xz.ErrBuf,
		zstd.ErrCRCMismatch, zstd.ErrFrameSizeMismatch, zstd.ErrFrameSizeExceeded, zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize,
	} {
		if err != nil && errors.Is(err, certain) {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}

// parse reads a module. It never panics, whatever the bytes are. The error is ErrNoModule
// unless they could not be read.
func parse(c *contents) (ko Module, err error) {
	defer func() { // debug/elf makes no promise on hostile files
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot parse it: %v", r)
		}
		if c.failed != nil {
			err = c.failed
		}
		c.rest()
	}()
	t, err := readTables(c)
	if err != nil {
		return Module{}, fmt.Errorf("%w: %w", ErrNoModule, err)
	}
	ko.Exports = map[string]uint32{}
	pieces := t.crcs(ko.Exports)
	info, versions, crcs, names := t.piece(".modinfo"), t.piece("__versions"), t.piece("__version_ext_crcs"), t.piece("__version_ext_names")
	c.read(append(pieces, info, versions, crcs, names))
	ko.setInfo(info.data)
	if ko.Vermagic == "" {
		return Module{}, fmt.Errorf("%w: it has no vermagic", ErrNoModule)
	}
	ko.machine = t.Machine
	ko.Uses = t.uses(versions.data, crcs.data, names.data)
	ko.Signed = c.endsWith(c.size, SignatureMark)
	return ko, nil
}

// setInfo takes over what .modinfo says.
func (ko *Module) setInfo(info []byte) {
	for _, entry := range strings.Split(string(info), "\x00") {
		if value, ok := strings.CutPrefix(entry, "vermagic="); ok {
			ko.Vermagic = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(entry, "name="); ok {
			ko.name = value
		}
	}
}

// uses reads __versions, whose entries have 64 bytes each: a long with the CRC,
// the rest the name; and what kernels from 6.14 on may have beside it.
func (t tables) uses(versions, crcs, names []byte) map[string]uint32 {
	const entry = 64
	long := 8
	if t.Class == elf.ELFCLASS32 {
		long = 4
	}
	out := map[string]uint32{}
	for data := versions; len(data) >= entry; data = data[entry:] {
		crc := t.ByteOrder.Uint32(data)
		if long == 8 && t.ByteOrder == binary.BigEndian {
			crc = t.ByteOrder.Uint32(data[4:])
		}
		if name, _, _ := bytes.Cut(data[long:entry], []byte{0}); len(name) > 0 {
			out[string(name)] = crc
		}
	}
	for name := range bytes.SplitSeq(names, []byte{0}) {
		if len(name) == 0 || len(crcs) < 4 {
			break
		}
		out[string(name)] = t.ByteOrder.Uint32(crcs)
		crcs = crcs[4:]
	}
	return out
}
