package dkmsstate

import (
	"path/filepath"
	"strings"
	"sync"
)

// ModulesDep is what depmod(8) last wrote for a kernel. modprobe(8) reads
// modules.dep.bin only; modules.dep is the text that it was made of. A kernel
// package ships or makes both anew, and then a module of DKMS is in neither.
// They are read when they are first asked for, once.
type ModulesDep struct{ read func() depFiles }

type depFiles struct {
	text string
	// installed are the files in the install directory that the text names, named
	// those that both name.
	installed []string
	named     map[string]bool
}

// newModulesDep gives both files of a kernel's directory; a missing one is an empty
// one.
func newModulesDep(kernelDir string) ModulesDep {
	return ModulesDep{read: sync.OnceValue(func() depFiles {
		text, _ := readRegular(filepath.Join(kernelDir, "modules.dep"))
		// The index holds each line of the text whole as a value of its trie (kmod,
		// libkmod-index), so that looking for the bytes is enough.
		index, _ := readRegular(filepath.Join(kernelDir, "modules.dep.bin"))
		d := depFiles{text: string(text), named: map[string]bool{}}
		indexed := map[string]bool{}
		eachInstalled(string(index), "", func(name string) { indexed[name] = true })
		eachInstalled("\n"+d.text, "\n", func(name string) {
			d.installed = append(d.installed, name)
			d.named[name] = indexed[name]
		})
		return d
	})}
}

// eachInstalled calls a function for each NAME in what stands as
// "updates/dkms/NAME:" behind a mark.
func eachInstalled(text, mark string, do func(name string)) {
	mark += installedUnder + "/"
	for {
		_, rest, found := strings.Cut(text, mark)
		if !found {
			return
		}
		text = rest
		if end := strings.IndexAny(rest, ": \n\x00"); end >= 0 && rest[end] == ':' {
			do(rest[:end])
		}
	}
}

// Names says whether depmod found the file NAME in the install directory.
func (d ModulesDep) Names(name string) bool { return d.read().named[name] }

// Installed gives the files in the install directory that modules.dep names.
func (d ModulesDep) Installed() []string { return d.read().installed }

// paths gives the paths of all modules, as they stand in the kernel's directory.
func (d ModulesDep) paths(yield func(string) bool) {
	for line := range strings.Lines(d.read().text) {
		if path, _, ok := strings.Cut(line, ":"); ok && !yield(path) {
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

// foreign says that there are modules which are neither the kernel's own nor of
// dkms: what those export is not known here.
func (d ModulesDep) foreign() bool {
	for path := range d.paths {
		if !strings.HasPrefix(path, "kernel/") && !strings.HasPrefix(path, installedUnder+"/") {
			return true
		}
	}
	return false
}

// InKernel says whether the kernel brings a module of that name itself.
func (d ModulesDep) InKernel(base string) bool {
	if !strings.Contains(d.read().text, "/"+base+".ko") {
		return false
	}
	for path := range d.paths {
		if !strings.HasPrefix(path, installedUnder+"/") && trimKo(filepath.Base(path)) == base {
			return true
		}
	}
	return false
}
