package initramfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
)

// maxModule bounds the size of a module whose contents are read: they are in memory meanwhile. A
// larger one has no Identity.
const maxModule = 128 << 20

// identify returns the identity of a module, zero if its contents are not those of one or are too
// large. It is an error if they cannot be kept in memory.
func (b *bounds) identify(data io.Reader) (kmod.Identity, error) {
	fd, err := unix.MemfdCreate("module", unix.MFD_CLOEXEC) // a killed run leaves nothing behind
	if err != nil {
		return kmod.Identity{}, fmt.Errorf("cannot keep a module in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "module")
	defer file.Close()
	switch whole, err := b.unpackModule(file, data); {
	case err != nil:
		return kmod.Identity{}, err
	case !whole:
		return kmod.Identity{}, nil
	}
	var reader *kmod.Reader // one module at a time needs no bound
	id, err := reader.Identity(b.ctx, fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil { // what it contains is not known
		return kmod.Identity{}, b.check()
	}
	return id, nil
}

// unpackModule writes the contents of a module, and reports whether they are complete.
func (b *bounds) unpackModule(to *os.File, data io.Reader) (bool, error) {
	in := bufio.NewReader(data)
	var from io.Reader = in
	module, err := kmod.Decompress(in, maxWindow)
	if err != nil {
		return false, b.check()
	}
	if module != nil {
		u := unpacked{b, module}
		defer u.close()
		from = u
	}
	n, err := io.Copy(to, io.LimitReader(from, maxModule+1))
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return false, fmt.Errorf("cannot keep a module in memory: %w", failed.Err)
	}
	return err == nil && n <= maxModule, b.check()
}
