package kmod

import "strings"

// FileNames returns the names that the file of a module can have: base with .ko and each
// compression suffix.
func FileNames(base string) []string {
	return []string{base + ".ko", base + ".ko.gz", base + ".ko.xz", base + ".ko.zst"}
}

// TrimSuffix removes .ko and the compression suffix from a file name. A name without .ko is
// returned unchanged.
func TrimSuffix(name string) string {
	for _, suffix := range []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			return base
		}
	}
	return name
}
