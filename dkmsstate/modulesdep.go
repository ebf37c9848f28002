package dkmsstate

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/regular"
)

// ModulesDep is what depmod(8) last wrote for a kernel. modprobe(8) reads only modules.dep.bin.
// modules.dep is the text from which it was generated. A kernel package ships or regenerates
// both, and then neither lists the modules of DKMS.
type ModulesDep struct {
	// DepRecord is what both files contain about the install directory.
	DepRecord
	// Gone are the files in the install directory that modules.dep lists and that do not exist.
	Gone []string
	// text returns modules.dep. It reads the file once, on the first call.
	text func() []byte
}

// DepRecord is what both files contain about the install directory.
type DepRecord struct {
	// Stamp identifies the state of the files.
	Stamp string `json:"stamp"`
	// Installed are the files in the install directory that modules.dep lists. Missing are
	// those of them that modules.dep.bin does not contain.
	Installed []string `json:"installed,omitempty"`
	Missing   []string `json:"missing,omitempty"`
	// Accepted is the plan.DepmodReason that remained after depmod ran. Another run of depmod
	// would not help until a file changes.
	Accepted string `json:"accepted,omitempty"`
}

// NewModulesDep returns the modules.dep of a kernel's directory. A missing file counts as
// empty.
func NewModulesDep(kernelDir string) ModulesDep {
	return ModulesDep{text: sync.OnceValue(func() []byte {
		text, _ := regular.ReadFile(filepath.Join(kernelDir, "modules.dep"))
		return text
	})}
}

// Read reads what both files of a kernel's directory contain about its install directory. kept
// is the result of an earlier call.
func (d *ModulesDep) Read(kernelDir, installDir string, kept DepRecord) {
	indexPath := filepath.Join(kernelDir, "modules.dep.bin")
	d.DepRecord = DepRecord{Stamp: StampFiles(filepath.Join(kernelDir, "modules.dep"), indexPath)}
	if d.Stamp == kept.Stamp {
		d.DepRecord = kept
	} else {
		// The index contains each line of the text as a value of its trie (kmod,
		// libkmod-index), so that searching for the bytes is enough.
		index, _ := regular.ReadFile(indexPath)
		indexed := map[string]bool{}
		for _, name := range installedIn(index, "") {
			indexed[name] = true
		}
		d.Installed = installedIn(d.text(), "\n")
		for _, name := range d.Installed {
			if !indexed[name] {
				d.Missing = append(d.Missing, name)
			}
		}
	}
	d.Gone = nil
	for _, name := range d.Installed {
		if !AnyExists(installDir, name) {
			d.Gone = append(d.Gone, name)
		}
	}
}

// installedIn returns each NAME that occurs in text as "updates/dkms/NAME:", either after mark
// or at the very beginning.
func installedIn(text []byte, mark string) []string {
	var names []string
	prefix := []byte(InstalledUnder + "/")
	rest, found := bytes.CutPrefix(text, prefix)
	for marked := append([]byte(mark), prefix...); ; _, rest, found = bytes.Cut(rest, marked) {
		if end := bytes.IndexAny(rest, ": \n\x00"); found && end >= 0 && rest[end] == ':' {
			names = append(names, string(rest[:end]))
		}
		if len(rest) == 0 {
			return names
		}
	}
}

// Names returns a function that reports whether depmod found the file with the given name in
// the install directory.
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
func (d ModulesDep) kernelSuffix() string {
	for path := range d.Paths {
		if _, suffix, ok := strings.Cut(filepath.Base(path), ".ko"); ok && strings.HasPrefix(path, "kernel/") {
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

// Own returns the paths of the kernel's own modules.
func (d ModulesDep) Own() []string {
	var own []string
	for path := range d.Paths {
		if strings.HasPrefix(path, "kernel/") {
			own = append(own, path)
		}
	}
	return own
}

// InKernel reports whether the kernel itself has a module of that name: modules.dep lists one
// outside the install directory.
func (d ModulesDep) InKernel(base string) bool {
	if !bytes.Contains(d.text(), []byte("/"+base+".ko")) {
		return false
	}
	for path := range d.Paths {
		if !strings.HasPrefix(path, InstalledUnder+"/") && kmod.TrimSuffix(filepath.Base(path)) == base {
			return true
		}
	}
	return false
}
