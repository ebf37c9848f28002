package bootloader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/vmlinuz"
)

// imageRelease returns the release of the kernel that a boot loader reads as image from the
// filesystem that is mounted at dir, or whose directories on it differ from those of the root,
// as a subvolume of btrfs or a dataset of ZFS does.
func (m Machine) imageRelease(image, dir string) (dkmsstate.Release, error) {
	image = path.Clean("/" + image)
	var found dkmsstate.Release
	for _, name := range m.existing(path.Join(dir, image), image, path.Join("/boot", path.Base(image))) {
		k, err := m.releaseOf(name)
		if err != nil {
			return "", err
		}
		if found != "" && found != k {
			return "", fmt.Errorf("the image %s is that of %s or of %s", image, found, k)
		}
		found = k
	}
	if found == "" {
		return "", fmt.Errorf("the image %s does not exist", image)
	}
	return found, nil
}

// releaseOf returns the release of an image: from its contents where these have it, and from its
// name. It is an error if the two differ.
func (m Machine) releaseOf(name string) (dkmsstate.Release, error) {
	named := releaseInName(name)
	if real, err := filepath.EvalSymlinks(m.inside(name)); err == nil && named == "" {
		named = releaseInName(real)
	}
	file, err := regular.Open(m.inside(name))
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", name, regular.WithoutPath(err))
	}
	defer file.Close()
	contained, err := releaseInImage(file)
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read %s: %w", name, regular.WithoutPath(err))
	case contained == "" && named == "":
		return "", fmt.Errorf("neither the name nor the contents of %s have a kernel release", name)
	case contained == "" || contained == named:
		return named, nil
	case named == "":
		return contained, nil
	}
	return "", fmt.Errorf("%s contains the kernel %s", name, contained)
}

// releaseInName returns the release in the name of an image: vmlinuz-RELEASE, or
// RELEASE/linux, as kernel-install(8) has it; "" without one.
func releaseInName(name string) dkmsstate.Release {
	base := path.Base(name)
	if base == "linux" || base == "vmlinuz" {
		k, err := dkmsstate.ParseRelease(path.Base(path.Dir(name)))
		if err == nil && strings.Contains(string(k), ".") {
			return k
		}
	}
	for _, kind := range vmlinuz.Names() {
		rest, ok := strings.CutPrefix(base, kind+"-")
		if k, err := dkmsstate.ParseRelease(rest); ok && err == nil {
			return k
		}
	}
	return ""
}

// releaseInImage returns the release in the header of an x86 image (Linux, x86/boot protocol:
// "HdrS" at 0x202, kernel_version at 0x20e), "" for any other image.
func releaseInImage(image io.ReaderAt) (dkmsstate.Release, error) {
	banner, err := bannerInImage(image)
	word, _, found := strings.Cut(banner, " ")
	if err != nil || !found {
		return "", err
	}
	k, err := dkmsstate.ParseRelease(word)
	if err != nil {
		return "", nil //nolint:nilerr // another system's header, such as a memory test
	}
	return k, nil
}

// bannerInImage returns the text in the header of an x86 image, "" for any other image: the release
// of the kernel, who built it, and which build it is.
func bannerInImage(image io.ReaderAt) (string, error) {
	const magic, pointer, base, size = 0x202, 0x20e, 0x200, 16
	head := make([]byte, size)
	if n, err := image.ReadAt(head, magic); n < size {
		if err == nil || errors.Is(err, io.EOF) {
			return "", nil
		}
		return "", err
	}
	at := binary.LittleEndian.Uint16(head[pointer-magic:])
	if !bytes.HasPrefix(head, []byte("HdrS")) || at == 0 {
		return "", nil
	}
	text := make([]byte, 256)
	n, err := image.ReadAt(text, int64(at)+base)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	banner, _, _ := bytes.Cut(text[:n], []byte{0})
	return string(banner), nil
}
