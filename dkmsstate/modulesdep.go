package dkmsstate

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
)

// ModulesDep is what depmod(8) last wrote for a kernel. modprobe(8) reads only modules.dep.bin.
// modules.dep is the text from which it was generated. A kernel package ships or regenerates
// both, and then neither lists the modules of DKMS.
type ModulesDep struct {
	// DepRecord is what both files contain about modules of DKMS.
	DepRecord
	// Gone are those of Installed that do not exist.
	Gone []string
	// text returns modules.dep, and order modules.order, the kernel's own modules. Each reads
	// its file once, on the first call.
	text, order func() []byte
}

// DepRecord is what both files contain about modules of DKMS: those in InstalledUnder, and those
// that are installed elsewhere.
type DepRecord struct {
	// Stamp identifies the state of the files.
	Stamp string `json:"stamp"`
	// Installed are their paths that modules.dep lists. Missing are those of them that
	// modules.dep.bin does not contain.
	Installed []string `json:"paths,omitempty"`
	Missing   []string `json:"missing,omitempty"`
	// Incomplete reports whether the kernel was built with a module, in modules.order, of which
	// modules.dep names no file.
	Incomplete bool `json:"incomplete,omitempty"`
	// Accepted is the plan.DepmodReason that remained after depmod ran. Another run of depmod
	// would not help until a file changes.
	Accepted string `json:"accepted,omitempty"`
}

// NewModulesDep returns the modules.dep of a kernel's directory. A missing file counts as
// empty.
func NewModulesDep(kernelDir string) ModulesDep {
	read := func(name string) func() []byte {
		return sync.OnceValue(func() []byte {
			text, _ := regular.ReadFile(filepath.Join(kernelDir, name))
			return text
		})
	}
	return ModulesDep{text: read("modules.dep"), order: read("modules.order")}
}

// ReadDep reads what modules.dep and modules.dep.bin contain about modules of DKMS, and which of
// these modprobe does not load. kept is the result of an earlier call.
func (s *Snapshot) ReadDep(kept DepRecord) {
	dir := s.Layout.KernelDir(s.Kernel)
	s.Dep = NewModulesDep(dir)
	s.Dep.read(dir, s.outside(), kept)
	for _, path := range s.Dep.Installed {
		if !Exists(s.Layout.PlaceDir(s.Kernel, path)) {
			s.Dep.Gone = append(s.Dep.Gone, path)
		}
	}
	s.findShadows()
}

// read reads both files. outside are the paths, without suffix, of modules that DKMS installs
// elsewhere than in InstalledUnder.
func (d *ModulesDep) read(kernelDir string, outside []string, kept DepRecord) {
	indexPath := filepath.Join(kernelDir, "modules.dep.bin")
	var state stamp
	state.addFile(filepath.Join(kernelDir, "modules.dep"))
	state.addFile(indexPath)
	state.addFile(filepath.Join(kernelDir, "modules.order"))
	for _, path := range outside {
		state.addText(path)
	}
	d.DepRecord = DepRecord{Stamp: state.sum()}
	if d.Stamp == kept.Stamp {
		d.DepRecord = kept
	} else {
		// The index contains each line of the text as a value of its trie (kmod,
		// libkmod-index), so that searching for the bytes is enough.
		index, _ := regular.ReadFile(indexPath)
		indexed := map[string]bool{}
		for _, name := range installedIn(index, "", outside) {
			indexed[name] = true
		}
		d.Installed = installedIn(d.text(), "\n", outside)
		for _, name := range d.Installed {
			if !indexed[name] {
				d.Missing = append(d.Missing, name)
			}
		}
		d.Incomplete = d.incomplete()
	}
}

// incomplete reports whether modules.order names a module of which modules.dep names no file.
func (d ModulesDep) incomplete() bool {
	named := map[string]bool{}
	for path := range d.Paths {
		named[modprobe.ModuleName(path)] = true
	}
	for line := range bytes.Lines(d.order()) {
		if path := string(bytes.TrimSpace(line)); path != "" && !named[modprobe.ModuleName(path)] {
			return true
		}
	}
	return false
}

// installedIn returns each PATH in InstalledUnder, or in outside with the suffix of a module,
// that occurs in text as "PATH:", either after mark or at the very beginning.
func installedIn(text []byte, mark string, outside []string) []string {
	var names []string
	for _, base := range outside {
		for _, path := range kmod.FileNames(base) {
			line := []byte(path + ":")
			if bytes.HasPrefix(text, line) || bytes.Contains(text, append([]byte(mark), line...)) {
				names = append(names, path)
			}
		}
	}
	prefix := []byte(InstalledUnder + "/")
	rest, found := bytes.CutPrefix(text, prefix)
	for marked := append([]byte(mark), prefix...); ; _, rest, found = bytes.Cut(rest, marked) {
		if end := bytes.IndexAny(rest, ": \n\x00"); found && end >= 0 && rest[end] == ':' {
			names = append(names, InstalledUnder+"/"+string(rest[:end]))
		}
		if len(rest) == 0 {
			return names
		}
	}
}

// Names returns a function that reports whether depmod found the file with the given path.
func (d DepRecord) Names() func(name string) bool {
	named := map[string]bool{}
	for _, name := range d.Installed {
		named[name] = true
	}
	for _, name := range d.Missing {
		named[name] = false
	}
	return func(name string) bool { return named[name] }
}

// kernelSuffix returns the suffix by which the kernel's own modules are compressed (.gz, .xz,
// .zst), "" for none.
func (s *Snapshot) kernelSuffix() string {
	place := s.Places()
	for path := range s.Dep.Paths {
		if _, suffix, ok := strings.Cut(filepath.Base(path), ".ko"); ok && strings.HasPrefix(path, "kernel/") && !place(path) {
			return suffix
		}
	}
	return ""
}

// Paths yields the paths of all modules as they are written in modules.dep.
func (d ModulesDep) Paths(yield func(string) bool) {
	for line := range bytes.Lines(d.text()) {
		if path, _, ok := bytes.Cut(line, []byte(":")); ok && !yield(string(path)) {
			return
		}
	}
}

// Needs returns the paths of the modules that are loaded before the one with the given path, and
// reports whether modules.dep lists it.
func (d ModulesDep) Needs(path string) ([]string, bool) {
	for line := range bytes.Lines(d.text()) {
		if rest, ok := bytes.CutPrefix(line, []byte(path+":")); ok {
			return strings.Fields(string(rest)), true
		}
	}
	return nil, false
}

// Own returns the paths below kernel/.
func (d ModulesDep) Own() []string {
	var own []string
	for path := range d.Paths {
		if strings.HasPrefix(path, "kernel/") {
			own = append(own, path)
		}
	}
	return own
}

// dirsOf returns the directories, below that of the kernel, in which modules.dep lists a module
// of that name, without .ko.
func (d ModulesDep) dirsOf(base string) []string {
	if !bytes.Contains(d.text(), []byte("/"+base+".ko")) {
		return nil
	}
	var dirs []string
	for path := range d.Paths {
		if kmod.TrimSuffix(filepath.Base(path)) == base {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return dirs
}

// excludes reports whether the kernel certainly was not built with a module of that name in a
// directory: it is not below kernel/, or modules.order is there and does not list it.
func (d ModulesDep) excludes(dir, base string) bool {
	return !strings.HasPrefix(dir, "kernel/") || len(d.order()) > 0 && !d.builtIn(dir, base)
}

// builtIn reports whether the kernel was built with a module of that name in a directory:
// modules.order lists it.
func (d ModulesDep) builtIn(dir, base string) bool {
	line := []byte(dir + "/" + base + ".ko")
	text := d.order()
	return bytes.HasPrefix(text, line) || bytes.Contains(text, append([]byte("\n"), line...))
}
