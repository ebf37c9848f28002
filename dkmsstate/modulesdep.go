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
// They are read when they are first asked for, once.
type ModulesDep struct {
	text  func() []byte
	named func() DepRecord
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

// newModulesDep gives both files of a kernel's directory; a missing one is an empty
// one. kept is what they said before.
func newModulesDep(kernelDir string, kept DepRecord) ModulesDep {
	path, indexPath := filepath.Join(kernelDir, "modules.dep"), filepath.Join(kernelDir, "modules.dep.bin")
	d := ModulesDep{text: sync.OnceValue(func() []byte {
		text, _ := regular.ReadFile(path)
		return text
	})}
	d.named = sync.OnceValue(func() DepRecord {
		now := DepRecord{Stamp: stampFiles(path, indexPath)}
		if now.Stamp == kept.Stamp {
			return kept
		}
		// The index holds each line of the text whole as a value of its trie (kmod,
		// libkmod-index), so that looking for the bytes is enough.
		index, _ := regular.ReadFile(indexPath)
		indexed := map[string]bool{}
		for _, name := range installedIn(index, "") {
			indexed[name] = true
		}
		now.Installed = installedIn(d.text(), "\n")
		for _, name := range now.Installed {
			if !indexed[name] {
				now.Missing = append(now.Missing, name)
			}
		}
		return now
	})
	return d
}

// installedIn gives each NAME in what stands as "updates/dkms/NAME:" behind a mark,
// or at the very beginning.
func installedIn(text []byte, mark string) []string {
	var names []string
	prefix := []byte(installedUnder + "/")
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

// accept notes what does not fit in what depmod has just written.
func (d *ModulesDep) accept(reason string) {
	now := d.named()
	now.Accepted = reason
	d.named = func() DepRecord { return now }
}

// Names says whether depmod found a file of each name in the install directory.
func (d ModulesDep) Names() func(name string) bool {
	named := map[string]bool{}
	for _, name := range d.named().Installed {
		named[name] = true
	}
	for _, name := range d.named().Missing {
		named[name] = false
	}
	return func(name string) bool { return named[name] }
}

// Installed gives the files in the install directory that modules.dep names.
func (d ModulesDep) Installed() []string { return d.named().Installed }

// paths gives the paths of all modules, as they stand in the kernel's directory.
func (d ModulesDep) paths(yield func(string) bool) {
	for line := range bytes.Lines(d.text()) {
		if path, _, ok := bytes.Cut(line, []byte(":")); ok && !yield(string(path)) {
			return
		}
	}
}

// Own gives the paths of the kernel's own modules.
func (d ModulesDep) Own() []string {
	var own []string
	for path := range d.paths {
		if strings.HasPrefix(path, "kernel/") {
			own = append(own, path)
		}
	}
	return own
}

// InKernel says whether the kernel brings a module of that name itself.
func (d ModulesDep) InKernel(base string) bool {
	if !bytes.Contains(d.text(), []byte("/"+base+".ko")) {
		return false
	}
	for path := range d.paths {
		if !strings.HasPrefix(path, installedUnder+"/") && kmod.TrimSuffix(filepath.Base(path)) == base {
			return true
		}
	}
	return false
}
