package initramfs

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
)

// maxModule bounds the size of a module whose contents are read: they are in memory meanwhile. A
// larger one has no Identity.
const maxModule = 64 << 20

// identify returns the identity of a module, zero if its contents are not those of one or are too
// large.
func identify(ctx context.Context, data io.Reader, size int64) (kmod.Identity, error) {
	if size > maxModule {
		return kmod.Identity{}, nil
	}
	fd, err := unix.MemfdCreate("module", unix.MFD_CLOEXEC) // a killed run leaves nothing behind
	if err != nil {
		return kmod.Identity{}, fmt.Errorf("cannot keep a module in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "module")
	defer file.Close()
	if _, err := io.Copy(file, data); err != nil {
		return kmod.Identity{}, err
	}
	var reader *kmod.Reader // one module at a time needs no bound
	id, err := reader.Identity(ctx, fmt.Sprintf("/proc/self/fd/%d", fd))
	if ctx.Err() != nil {
		return kmod.Identity{}, ctx.Err()
	}
	if err != nil {
		return kmod.Identity{}, nil //nolint:nilerr // what it contains is not known
	}
	return id, nil
}
