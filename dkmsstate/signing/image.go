package signing

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"dkms-hooks/dkmsstate/regular"
)

// imageRefused returns why the firmware or shim may not start the kernel's image under Secure Boot,
// "" if Secure Boot is off, if the running kernel was started from the image, or if the image is
// signed and names a known certificate as that of its signer. The signature itself is not checked.
// An image that is known by its digest, and one in a unified image, are not recognised.
func (k *Kernel) imageRefused() string {
	path := k.m.layout.ImageFile(k.release, "vmlinuz")
	if k.secure() != yes || k.release == k.m.layout.Running && !k.m.host.mayHaveChanged(path) {
		return ""
	}
	f := k.m.firmware()
	var table []byte
	if file, err := regular.Open(path); err == nil {
		defer file.Close()
		table = imageCertificates(file)
	}
	switch {
	case len(table) == 0:
		return "Secure Boot is on, and the kernel's image is not signed"
	case !slices.ContainsFunc(certificates(f.enrolled, f.database), func(c Certificate) bool { return bytes.Contains(table, c.Subject) }):
		return "Secure Boot is on, and whose key signed the kernel's image is not known"
	}
	return ""
}

// imageCertificates returns the attribute certificate table of a PE image, which contains the
// Authenticode signature (Microsoft's PE format, Optional Header Data Directories). It returns
// nothing if there is none.
func imageCertificates(image io.ReaderAt) []byte {
	const pointer, optional, pe32, pe32plus, entry, longest = 0x3c, 24, 96, 112, 4 * 8, 64 << 10
	head := make([]byte, 4<<10)
	n, _ := image.ReadAt(head, 0)
	head = head[:n]
	if len(head) < pointer+4 || string(head[:2]) != "MZ" {
		return nil
	}
	start := uint64(binary.LittleEndian.Uint32(head[pointer:])) + optional
	if start+pe32plus+entry+8 > uint64(len(head)) || string(head[start-optional:start-optional+4]) != "PE\x00\x00" {
		return nil
	}
	directories := start + pe32
	if binary.LittleEndian.Uint16(head[start:]) == 0x20b {
		directories = start + pe32plus
	}
	at, size := binary.LittleEndian.Uint32(head[directories+entry:]), binary.LittleEndian.Uint32(head[directories+entry+4:])
	table, _ := io.ReadAll(io.NewSectionReader(image, int64(at), int64(min(size, longest))))
	return table
}
