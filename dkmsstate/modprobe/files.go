package modprobe

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// The bounds of what is read.
const (
	maxFiles = 1000
	maxSize  = 1 << 20
)

// configDirs are the directories above depmod.d and modprobe.d, in the order of their precedence.
func configDirs() []string {
	return []string{"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"}
}

// readLines returns the commands in all files of a configuration directory, such as depmod.d. The
// files are sorted by name, and of several files of the same name only the first is read. As for
// kmod, a file that cannot be read contains nothing.
func readLines(root, name string) []Line {
	files := map[string]string{}
	for _, above := range configDirs() {
		dir := path.Join(above, name)
		entries, _ := os.ReadDir(filepath.Join(root, dir))
		for _, entry := range entries {
			if _, known := files[entry.Name()]; !known && isConfig(filepath.Join(root, dir), entry.Name()) && len(files) < maxFiles {
				files[entry.Name()] = path.Join(dir, entry.Name())
			}
		}
	}
	var sorted []string
	for base := range files {
		sorted = append(sorted, base)
	}
	slices.Sort(sorted)
	var lines []Line
	for _, base := range sorted {
		lines = append(lines, parse(files[base], readFile(filepath.Join(root, files[base])))...)
	}
	return lines
}

// isConfig reports whether kmod reads a file of a configuration directory. A link to /dev/null is
// such a file: it hides those of the same name.
func isConfig(dir, name string) bool {
	if strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".conf") {
		return false
	}
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && !info.IsDir()
}

// readFile returns the first maxSize bytes of a regular file.
func readFile(name string) []byte {
	file, err := regular.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, maxSize))
	return text
}
