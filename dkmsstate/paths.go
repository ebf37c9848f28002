package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
)

// DirNames returns the names of the subdirectories of a directory. It returns none if the
// directory cannot be read.
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

// fileNames returns the sorted names of all entries of a directory.
func fileNames(dir string) []string {
	entries, _ := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// Exists, AnyExists and HasEntries report false for a path that cannot be read.
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
