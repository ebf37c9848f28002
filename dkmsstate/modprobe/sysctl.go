package modprobe

import (
	"path"
	"path/filepath"
	"strings"
)

// ModulesDisabled returns the line of sysctl.d(5) after which the running kernel loads no module
// any more, and whether there is one. Nothing can undo such a line.
func ModulesDisabled(root string) (Line, bool) {
	const file, key = "/etc/sysctl.conf", "kernel.modules_disabled"
	for _, l := range append(readLines(root, "sysctl.d"), parse(file, readFile(filepath.Join(root, file)))...) {
		name, value, _ := strings.Cut(strings.Join(l.Words, ""), "=")
		name = strings.ReplaceAll(strings.TrimPrefix(name, "-"), "/", ".")
		if matched, err := path.Match(name, key); err == nil && matched && value != "0" && value != "" {
			return l, true
		}
	}
	return Line{}, false
}
