package debpkg

import (
	"path/filepath"
	"strings"
)

// MD5 returns the MD5 sum that a package has of a file (deb-md5sums(5)), or "" if it has none.
func (db *Database) MD5(name, path string) string {
	data, _, _ := readFile(filepath.Join(db.dir, "info", name+".md5sums"))
	for line := range strings.Lines(string(data)) {
		sum, file, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if "/"+file == path {
			return sum
		}
	}
	return ""
}
