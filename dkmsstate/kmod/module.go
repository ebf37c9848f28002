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

// Module describes a kernel module and the kernel that it was built for.
type Module struct {
	// Vermagic is the release of the kernel and some of its options. The kernel compares it
	// first.
	Vermagic string
	// Uses are the imported symbols with the CRC that each had when the module was built. It is
	// empty without CONFIG_MODVERSIONS. Exports are the exported symbols with their CRCs.
	Uses, Exports map[string]uint32
	// Unversioned are symbols that the module imports without a CRC although it has CRCs for
	// others. The kernel takes any symbol of that name.
	Unversioned []string
	// Depends are the names of the modules whose symbols the module was built to use (depends= of
	// modpost).
	Depends []string
	// Signed reports whether the module ends with a signature.
	Signed bool
	// name is the module's name as recorded in it, "" before Linux 4.13. machine is the
	// processor that it was built for.
	name    string
	machine elf.Machine
}

// release returns the kernel release that the module was built for.
func (ko Module) release() string {
	release, _, _ := strings.Cut(ko.Vermagic, " ")
	return release
}

// Read reads the file of a module, compressed or not. The error is ErrDamaged or ErrNoModule if
// the file is certainly unusable, and ErrUnread otherwise.
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

// read opens the file of a module and parses it. The error is ErrDamaged or ErrNoModule if the
// file is certainly unusable.
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

// ErrDamaged means that a file is truncated or corrupt, whatever program reads it.
const ErrDamaged = sentinel.Error("is damaged")

// ErrNoModule means that a file is intact, but not a module.
const ErrNoModule = sentinel.Error("not a module")

// ErrUnread means that a file could not be read here. This proves nothing about the file.
const ErrUnread = sentinel.Error("it cannot be examined")

// damaged wraps in ErrDamaged those errors of a decompressor that prove that the file is
// damaged. Others prove nothing, such as a window that is too large for this reader.
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

// parse parses a module. It never panics, whatever the bytes are. The error is ErrNoModule,
// unless the contents could not be read or debug/elf panicked.
func parse(c *contents) (ko Module, err error) {
	defer func() { // debug/elf does not promise anything for hostile files
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
	ko.Unversioned = t.unversioned(ko.Uses)
	ko.Signed = c.endsWith(c.size, SignatureMark)
	return ko, nil
}

// setInfo sets Vermagic, Depends and name from the section .modinfo.
func (ko *Module) setInfo(info []byte) {
	for _, entry := range strings.Split(string(info), "\x00") {
		if value, ok := strings.CutPrefix(entry, "vermagic="); ok {
			ko.Vermagic = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(entry, "name="); ok {
			ko.name = value
		}
		if value, ok := strings.CutPrefix(entry, "depends="); ok && value != "" {
			ko.Depends = strings.Split(value, ",")
		}
	}
}

// uses reads __versions, whose entries have 64 bytes each: the CRC as a long, then the name.
// Kernels since 6.14 may have longer names in two other sections, crcs and names.
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
