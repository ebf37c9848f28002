package modprobe

import (
	"path"
	"strings"
)

// Modprobe is what modprobe.d(5) sets about the loading of modules.
type Modprobe struct{ blacklist, install []Line }

// ReadModprobe returns what the files under a root set.
func ReadModprobe(root string) Modprobe { return newModprobe(readLines(root, "modprobe.d")) }

func newModprobe(lines []Line) Modprobe {
	var m Modprobe
	for _, l := range lines {
		switch {
		case l.Words[0] == "blacklist" && len(l.Words) > 1:
			m.blacklist = append(m.blacklist, l)
		case l.Words[0] == "install" && len(l.Words) > 2:
			m.install = append(m.install, l)
		}
	}
	return m
}

// Blacklisted returns the line for which a module is loaded neither for a device nor at boot, but
// only when modprobe is called with its name.
func (m Modprobe) Blacklisted(module string) (Line, bool) {
	for _, l := range m.blacklist {
		if underscored(l.Words[1]) == module {
			return l, true
		}
	}
	return Line{}, false
}

// Command returns the line with a command that modprobe runs instead of loading a module. Its
// name may be a pattern (fnmatch(3)).
func (m Modprobe) Command(module string) (Line, bool) {
	for _, l := range m.install {
		pattern := strings.ReplaceAll(underscored(l.Words[1]), "[!", "[^")
		if matched, err := path.Match(pattern, module); err == nil && matched {
			return l, true
		}
	}
	return Line{}, false
}

// underscored returns a name with underscores for dashes, except between brackets.
func underscored(name string) string {
	var b strings.Builder
	inside := false
	for _, r := range name {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside = false
		case r == '-' && !inside:
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}
