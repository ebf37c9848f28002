package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
)

// DirNames returns the names of the directories in a directory; what cannot be
// read has none.
func DirNames(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// fileNames returns the names of everything in a directory, sorted.
func fileNames(dir string) []string {
	entries, _ := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// Exists, AnyExists and HasEntries are questions about paths; what cannot be read is
// not there.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func AnyExists(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return Exists(filepath.Join(dir, name)) })
}

func HasEntries(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}
