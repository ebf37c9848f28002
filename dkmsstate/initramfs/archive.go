package initramfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/sentinel"
)

// The bounds of what is read. maxWindow is how far back compressed data may refer: that of
// `zstd --ultra -22`. The kernel rejects longer names than maxName. maxBytes counts the files, what
// they unpack to and what modules in them unpack to.
const (
	maxWindow  = 128 << 20
	maxName    = 4096
	maxEntries = 1 << 20
	maxBytes   = 4 << 30
)

const (
	errFormat      = sentinel.Error("it is neither a cpio archive nor compressed by gzip, xz or zstd")
	errDamaged     = sentinel.Error("it is damaged")
	errMuch        = sentinel.Error("it is too large")
	errNoArchive   = sentinel.Error("it contains no archive")
	errCompression = sentinel.Error("what follows its compressed part is not supported")
	errPacked      = sentinel.Error("cannot decompress it")
	errImage       = sentinel.Error("it is not a unified kernel image")
	errLink        = sentinel.Error("a directory of its modules is a symbolic link")
)

// final reports whether an error is about the contents of an initramfs, which another attempt would
// not find otherwise.
func final(err error) bool {
	return slices.ContainsFunc([]error{errFormat, errDamaged, errMuch, errNoArchive, errCompression, errPacked, errImage, errLink},
		func(about error) bool { return errors.Is(err, about) })
}

// eachFile calls use for each entry of the archives, with its contents.
func (b *bounds) eachFile(from io.Reader, use func(e entry, data io.Reader) error) error {
	r := &archives{bounds: b, use: use}
	in := bufio.NewReaderSize(from, 1<<20)
	for {
		if err := skipZeros(in); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		start, _ := in.Peek(len(magic))
		if isArchive(start) {
			if err := r.archive(in); err != nil {
				return err
			}
			continue
		}
		if err := r.compressed(in); err != nil {
			return err
		}
	}
	if r.entries == 0 {
		return errNoArchive
	}
	return nil
}

// archives reads archives.
type archives struct {
	*bounds
	use func(e entry, data io.Reader) error
	// entries is how many were read.
	entries int
}

// compressed reads the archives in a compressed part, which is the last one.
func (r *archives) compressed(in *bufio.Reader) error {
	from, err := kmod.Decompress(in, maxWindow)
	if err != nil {
		return fmt.Errorf("%w: %w", errPacked, err)
	}
	if from == nil {
		return errFormat
	}
	part := unpacked{r.bounds, from}
	defer part.close()
	inner := bufio.NewReaderSize(part, 1<<20)
	for {
		err := skipZeros(inner)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errPacked, err)
		}
		if start, _ := inner.Peek(len(magic)); !isArchive(start) {
			return errCompression
		}
		if err := r.archive(inner); err != nil {
			return err
		}
	}
}

// skipZeros skips the padding between archives.
func skipZeros(in *bufio.Reader) error {
	for {
		if _, err := in.Peek(1); err != nil {
			return err
		}
		data, _ := in.Peek(in.Buffered())
		rest := bytes.TrimLeft(data, "\x00")
		if _, err := in.Discard(len(data) - len(rest)); err != nil || len(rest) > 0 {
			return err
		}
	}
}

const (
	magic       = "070701"
	magicSummed = "070702"
	trailer     = "TRAILER!!!"
	headerSize  = 110
)

func isArchive(start []byte) bool {
	return string(start) == magic || string(start) == magicSummed
}

// entry is an entry of an archive.
type entry struct {
	name string
	mode uint64
	size int64
}

// is reports whether the entry is of the given kind: unix.S_IFREG, unix.S_IFLNK and so on.
func (e entry) is(kind uint64) bool { return e.mode&unix.S_IFMT == kind }

// archive reads an archive to its trailer.
func (r *archives) archive(in *bufio.Reader) error {
	for {
		if r.entries++; r.entries > maxEntries {
			return errMuch
		}
		e, err := readHeader(in)
		if err != nil {
			return err
		}
		if e.name == trailer {
			return nil
		}
		data := &io.LimitedReader{R: in, N: e.size}
		if err := r.use(e, data); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, data); err != nil || data.N > 0 {
			return broken(err)
		}
		if _, err := in.Discard(padding(e.size)); err != nil {
			return broken(err)
		}
	}
}

// padding returns how many bytes follow, so that the next part begins at a multiple of four.
func padding(size int64) int { return int(-size & 3) }

// readHeader reads the header of an entry and its name.
func readHeader(in *bufio.Reader) (entry, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(in, header); err != nil {
		return entry{}, broken(err)
	}
	if !isArchive(header[:len(magic)]) {
		return entry{}, errDamaged
	}
	const digits, mode, size, name = 8, 1, 6, 11 // the fields, of eight digits each
	var fields [13]uint64
	for i := range fields {
		n, err := strconv.ParseUint(string(header[len(magic)+digits*i:][:digits]), 16, 32)
		if err != nil {
			return entry{}, errDamaged
		}
		fields[i] = n
	}
	if fields[name] == 0 || fields[name] > maxName {
		return entry{}, errDamaged
	}
	text := make([]byte, fields[name])
	if _, err := io.ReadFull(in, text); err != nil {
		return entry{}, broken(err)
	}
	if _, err := in.Discard(padding(headerSize + int64(len(text)))); err != nil {
		return entry{}, broken(err)
	}
	text, _, _ = bytes.Cut(text, []byte{0})
	return entry{string(text), fields[mode], int64(fields[size])}, nil
}

// broken returns the error of an archive that cannot be read to its end.
func broken(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}
