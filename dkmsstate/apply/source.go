package apply

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// source is what the source of a module shows about its build.
type source struct {
	// bytes is the size of the files to compile, and files their number.
	bytes int64
	files int
	// rules are the texts that describe the build: dkms.conf, makefiles and scripts.
	rules [][]byte
}

// maxRules bounds the size of one such text. Those that people write are shorter. A generated
// configure looks for everything and proves nothing.
const maxRules = 128 << 10

// readSource reads the source of a registered module.
func readSource(l dkmsstate.Layout, m dkmsstate.Module) (src source) {
	_ = l.WalkSource(m, func(path string, d fs.DirEntry) {
		if d == nil || !d.Type().IsRegular() {
			return
		}
		info, err := d.Info()
		switch {
		case err != nil:
		case slices.Contains([]string{".c", ".S", ".cc", ".cpp", ".rs"}, filepath.Ext(path)):
			src.bytes += info.Size()
			src.files++
		case saysHow(filepath.Base(path)) && info.Size() <= maxRules:
			if text, err := regular.ReadFile(path); err == nil {
				src.rules = append(src.rules, text)
			}
		}
	})
	return src
}

// saysHow reports whether a file of that name describes how a module is built.
func saysHow(name string) bool {
	return name == "dkms.conf" || strings.HasPrefix(name, "Makefile") || strings.HasPrefix(name, "makefile") || strings.HasPrefix(name, "Kbuild") ||
		slices.Contains([]string{".mk", ".sh", ".conf"}, filepath.Ext(name)) || filepath.Ext(name) == "" && name != "configure"
}

// names reports whether the rules contain the name of another module, as a word of its own.
func (src source) names(module string) bool {
	return slices.ContainsFunc(src.rules, func(text []byte) bool {
		for rest, name := text, []byte(module); ; {
			at := bytes.Index(rest, name)
			if at < 0 {
				return false
			}
			end := at + len(name)
			if (at == 0 || !inWord(rest[at-1])) && (end == len(rest) || !inWord(rest[end])) {
				return true
			}
			rest = rest[at+1:]
		}
	})
}

func inWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// looksAround reports whether the rules look for whatever other modules left, without naming
// one: a line contains a pattern and a place where modules leave something. Nearly all modules
// name such places for files of their own.
func (src source) looksAround() bool {
	return slices.ContainsFunc(src.rules, func(text []byte) bool {
		for line := range bytes.Lines(text) {
			if anyOf(line, "*", "wildcard", "find ") && anyOf(line, "/updates", "symvers", "/usr/src", "source_tree", "dkms_tree", "/var/lib/dkms") {
				return true
			}
		}
		return false
	})
}

func anyOf(line []byte, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(line, []byte(word)) })
}
