package kmod

import "strings"

// FileNames returns the names that a module's file can have.
func FileNames(base string) []string {
	return []string{base + ".ko", base + ".ko.gz", base + ".ko.xz", base + ".ko.zst"}
}

// TrimSuffix takes .ko and its compression off a file name; a name without comes
// back as it is.
func TrimSuffix(name string) string {
	for _, suffix := range []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			return base
		}
	}
	return name
}
