package modprobe

import (
	"path"
	"strings"
)

// Modprobe is what modprobe.d(5) sets about the loading of modules.
type Modprobe struct{ blacklist, install, alias []Line }

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
		case l.Words[0] == "alias" && len(l.Words) > 2:
			m.alias = append(m.alias, l)
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
		if namesModule(l.Words[1], module) {
			return l, true
		}
	}
	return Line{}, false
}

// Aliased returns the line that makes the name of a module an alias, which may be a pattern
// (fnmatch(3)), of another one. modprobe looks for aliases of the configuration first, and loads
// only what these name (libkmod, kmod_module_new_from_lookup).
func (m Modprobe) Aliased(module string) (Line, bool) {
	for _, l := range m.alias {
		if namesModule(l.Words[1], module) && underscored(l.Words[2]) != module {
			return l, true
		}
	}
	return Line{}, false
}

// namesModule reports whether a pattern matches the name of a module.
func namesModule(pattern, module string) bool {
	matched, err := path.Match(strings.ReplaceAll(underscored(pattern), "[!", "[^"), module)
	return err == nil && matched
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
