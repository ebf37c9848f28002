package dkmsstate

import (
	"slices"
	"strings"
)

// Compressor returns the command that compresses a module, with the options that the kernel
// needs to read the result (xz with crc32, as dkms 3.2 does). It returns nil for an unknown
// suffix.
func Compressor(suffix string) []string {
	switch suffix {
	case ".gz":
		return []string{"gzip", "-nc"}
	case ".xz":
		return []string{"xz", "--check=crc32", "--lzma2=dict=1MiB", "-c"}
	case ".zst":
		return []string{"zstd", "-q", "-c"}
	}
	return nil
}

// Uncompressed returns the names of the build's files that are not compressed.
func (b Build) Uncompressed() []string {
	var names []string
	for _, f := range b.Files {
		if strings.HasSuffix(f.Name, ".ko") {
			names = append(names, f.Name)
		}
	}
	return names
}

// findCompression sets the Compression of builds that are not compressed: that of the kernel's
// own modules.
func (s *Snapshot) findCompression() {
	if !slices.ContainsFunc(s.Builds, func(b Build) bool { return len(b.Uncompressed()) > 0 }) {
		return
	}
	suffix := s.kernelSuffix()
	if program := Compressor(suffix); program != nil {
		if _, err := LookPath(program[0]); err == nil {
			s.Compression = suffix
		}
	}
}
