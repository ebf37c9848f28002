package signing

import (
	"bytes"
	"encoding/binary"
	"io"
	"regexp"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// builder is who built a kernel, as far as that decides about keys.
type builder struct {
	// distribution reports whether it was built by Debian or Ubuntu themselves. They build no key of
	// a machine's owner into it.
	distribution bool
	// tested reports whether it is one of Debian's since 6.12. These accept modules signed by a key
	// of the platform keyring, which kernel.org's source does not do (Debian #935945, #1030200),
	// and read the enrolled keys only under Secure Boot.
	tested bool
}

// readBuilder reads the version of an image, which names who built it: "RELEASE (USER@HOST) #NUMBER
// … Debian VERSION (DATE)". It is in the header of an image for x86 (the kernel's
// Documentation/arch/x86/boot.rst, kernel_version), and /proc/version has the one of the running
// kernel. Where both are there, they have to agree.
func readBuilder(l dkmsstate.Layout, kernel dkmsstate.Release, h Host) builder {
	var b builder
	found := false
	if file, err := regular.Open(l.ImageFile(kernel, "vmlinuz")); err == nil {
		defer file.Close()
		b, found = parseBuilder(imageVersion(file), kernel)
	}
	if kernel != l.Running {
		return b
	}
	version, _ := h.read("/proc/version")
	running, ok := parseBuilder(strings.TrimPrefix(string(version), "Linux version "), kernel)
	if found && ok && running != b {
		return builder{}
	}
	if ok {
		return running
	}
	return b
}

// parseBuilder parses the version of a kernel. ok is false if it is none of the release.
func parseBuilder(version string, kernel dkmsstate.Release) (b builder, ok bool) {
	rest, ok := strings.CutPrefix(version, string(kernel)+" ")
	if !ok {
		return builder{}, false
	}
	debian := regexp.MustCompile(`^\(debian-kernel@lists\.debian\.org\) .* Debian (\d+)\.(\d+)\.`).FindStringSubmatch(rest)
	ubuntu := regexp.MustCompile(`^\(buildd@[^ )]*\) .*#\d+[^ ]*-Ubuntu `).MatchString(rest)
	return builder{
		distribution: debian != nil || ubuntu,
		tested:       debian != nil && (len(debian[1]) > 1 || debian[1] > "6" || debian[1] == "6" && len(debian[2]) > 1 && debian[2] >= "12"),
	}, true
}

// imageVersion returns the version in the header of an image for x86, "" if there is none.
func imageVersion(image io.ReaderAt) string {
	const magic, pointer, base, longest = 0x202, 0x20e, 0x200, 256
	var head [pointer + 2]byte
	if _, err := image.ReadAt(head[:], 0); err != nil || string(head[magic:magic+4]) != "HdrS" {
		return ""
	}
	version := make([]byte, longest)
	n, _ := image.ReadAt(version, base+int64(binary.LittleEndian.Uint16(head[pointer:])))
	version, _, _ = bytes.Cut(version[:n], []byte{0})
	return string(version)
}
