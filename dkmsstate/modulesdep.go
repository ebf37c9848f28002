package dkmsstate

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/regular"
)

// ModulesDep is what depmod(8) last wrote for a kernel. modprobe(8) reads
// modules.dep.bin only; modules.dep is the text that it was made of. A kernel
// package ships or makes both anew, and then a module of DKMS is in neither.
type ModulesDep struct {
	// DepRecord is what both say of the install directory.
	DepRecord
	// Gone are the files there that modules.dep names and that do not exist.
	Gone []string
	// text is read when it is first asked for, once.
	text func() []byte
}

// DepRecord is what both files say of the install directory.
type DepRecord struct {
	// Stamp names the state of the files.
	Stamp string `json:"stamp"`
	// Installed are the files there that modules.dep names, Missing those among them
	// that modules.dep.bin does not.
	Installed []string `json:"installed,omitempty"`
	Missing   []string `json:"missing,omitempty"`
	// Accepted is what does not fit although depmod ran: nothing changes until a file does.
	Accepted string `json:"accepted,omitempty"`
}

// NewModulesDep returns modules.dep of a kernel's directory, an empty one where there is
// none.
func NewModulesDep(kernelDir string) ModulesDep {
	return ModulesDep{text: sync.OnceValue(func() []byte {
		text, _ := regular.ReadFile(filepath.Join(kernelDir, "modules.dep"))
		return text
	})}
}

// Read reads what both files of a kernel's directory say of its install directory; kept is
// what they said before.
func (d *ModulesDep) Read(kernelDir, installDir string, kept DepRecord) {
	indexPath := filepath.Join(kernelDir, "modules.dep.bin")
	d.DepRecord = DepRecord{Stamp: StampFiles(filepath.Join(kernelDir, "modules.dep"), indexPath)}
	if d.Stamp == kept.Stamp {
		d.DepRecord = kept
	} else {
		// The index holds each line of the text whole as a value of its trie (kmod,
		// libkmod-index), so that looking for the bytes is enough.
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

// installedIn returns each NAME in what stands as "updates/dkms/NAME:" behind a mark,
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

// Names returns what reports whether depmod found a file of a name in the install
// directory.
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

// kernelSuffix returns the compression of the kernel's own modules as the end of
// their names (.gz, .xz, .zst), "" for none.
func (d ModulesDep) kernelSuffix() string {
	for path := range d.Paths {
		if _, suffix, ok := strings.Cut(filepath.Base(path), ".ko"); ok && strings.HasPrefix(path, "kernel/") {
			return suffix
		}
	}
	return ""
}

// Paths returns the paths of all modules, as they are written in modules.dep.
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

// InKernel reports whether the kernel brings a module of that name itself.
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
