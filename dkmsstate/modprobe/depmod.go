package modprobe

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// Depmod is what depmod.d(5) sets for one kernel: which of several files of the same module
// depmod(8) puts into modules.dep.
type Depmod struct {
	// overrides, searches, externals and excludes are in the order of the files.
	overrides, searches, externals, excludes []setting
}

// setting is a value, and the line that sets it.
type setting struct {
	value string
	line  Line
}

// ReadDepmod returns what the files under a root set for a kernel.
func ReadDepmod(root, kernel string) Depmod { return newDepmod(readLines(root, "depmod.d"), kernel) }

func newDepmod(lines []Line, kernel string) Depmod {
	var d Depmod
	for _, l := range lines {
		w := l.Words
		switch {
		case w[0] == "search":
			d.searches = append(d.searches, settings(l, w[1:]...)...)
		case w[0] == "exclude":
			d.excludes = append(d.excludes, settings(l, w[1:]...)...)
		case w[0] == "override" && len(w) > 3 && matches(w[2], kernel):
			d.overrides = append(d.overrides, setting{w[3] + "/" + w[1], l})
		case w[0] == "external" && len(w) > 2 && matches(w[1], kernel):
			d.externals = append(d.externals, setting{w[2], l})
		}
	}
	if len(d.searches) == 0 {
		d.searches = []setting{{value: "updates"}}
	}
	return d
}

func settings(l Line, values ...string) []setting {
	var list []setting
	for _, value := range values {
		list = append(list, setting{value, l})
	}
	return list
}

// matches reports whether a pattern stands for a kernel. It is an extended regular expression,
// which need not match the whole release, or "*".
func matches(pattern, kernel string) bool {
	if pattern == "*" {
		return true
	}
	re, err := regexp.CompilePOSIX(pattern)
	return err == nil && re.MatchString(kernel)
}

// Choose returns which of two files of the same module depmod takes, and the line that decides.
// The line is not Known if the default decides, or the order in which depmod reads the files:
// first is the file that it reads first, second the other. Both are paths below the directory of
// the kernel, or absolute.
func (d Depmod) Choose(first, second string) (string, Line) {
	taken := first
	if d.replaces(first, second) {
		taken = second
	}
	if d.replaces(second, first) == (taken == second) {
		return taken, Line{} // the order decides
	}
	return taken, d.lineFor(taken)
}

// Excludes returns the line for which depmod does not read a file.
func (d Depmod) Excludes(file string) (Line, bool) {
	for _, name := range strings.Split(file, "/") {
		for _, e := range d.excludes {
			if e.value == name {
				return e.line, true
			}
		}
	}
	return Line{}, false
}

const (
	builtIn  = "built-in"
	external = "external"
)

// replaces reports whether depmod, having read the file old, takes the file new in its place. It
// does what depmod_module_is_higher_priority in tools/depmod.c does: of several overrides the
// last one counts, of several places to search the first one. Of two files in the same place, the
// second one wins, except among those of the kernel and in places after built-in.
func (d Depmod) replaces(old, new string) bool {
	for _, o := range slices.Backward(d.overrides) {
		switch o.value {
		case trim(new):
			return true
		case trim(old):
			return false
		}
	}
	oldRank, newRank, kernels, rank := -1, -1, -1, 0
	for _, s := range slices.Backward(d.searches) {
		switch {
		case s.value == builtIn:
			kernels = rank
		case s.value == external:
			for _, e := range slices.Backward(d.externals) {
				if below(new, e.value) {
					newRank = rank
				}
				if below(old, e.value) {
					oldRank = rank
				}
				rank++
			}
		case below(new, s.value):
			newRank = rank
		case below(old, s.value):
			oldRank = rank
		}
		rank++
	}
	if newRank < 0 {
		newRank = kernels
	}
	if oldRank < 0 {
		oldRank = kernels
	}
	return newRank > oldRank
}

// lineFor returns the line for which depmod takes a file.
func (d Depmod) lineFor(taken string) Line {
	for _, o := range slices.Backward(d.overrides) {
		if o.value == trim(taken) {
			return o.line
		}
	}
	var kernels Line
	for _, s := range slices.Backward(d.searches) {
		if s.value == builtIn {
			kernels = s.line
		}
	}
	for _, s := range slices.Concat(d.externals, d.searches) {
		if below(taken, s.value) {
			return s.line
		}
	}
	return kernels
}

// trim returns the path of a module's file without its suffix.
func trim(file string) string {
	dir, base := path.Split(file)
	return dir + kmod.TrimSuffix(base)
}

// below reports whether a file is in a directory or below it.
func below(file, dir string) bool { return strings.HasPrefix(file, dir+"/") }

// ModuleName returns the name of the module in a file. In the names of modules a dash is an
// underscore.
func ModuleName(file string) string {
	return strings.ReplaceAll(kmod.TrimSuffix(path.Base(file)), "-", "_")
}
