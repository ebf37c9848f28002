package bootloader

import (
	"errors"
	"runtime"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// x86 reports whether the machine starts kernels as PCs do.
func x86() bool { return runtime.GOARCH == "amd64" || runtime.GOARCH == "386" }

// ImageBuild returns which build of a kernel an image contains: "#1 SMP …", as `uname -v` prints it. It
// returns "" where images do not show it, which is so on most architectures. It is an error if the
// file is no image of a kernel.
func ImageBuild(layout dkmsstate.Layout, kernel dkmsstate.Release) (string, error) {
	file, err := regular.Open(layout.NoFollow().Inside("/boot/vmlinuz-" + string(kernel)))
	if err != nil {
		return "", nil //nolint:nilerr // the image has another name
	}
	defer file.Close()
	if sizeOf(file) == 0 {
		return "", errors.New("the image of the kernel is empty")
	}
	banner, err := bannerInImage(file)
	switch {
	case err != nil:
		return "", err
	case banner == "" && x86():
		return "", errors.New("the image is not that of a kernel")
	}
	_, build, _ := strings.Cut(banner, " #")
	if build == "" {
		return "", nil
	}
	return "#" + strings.TrimSpace(build), nil
}
