package dkmsstate

import (
	"bytes"
	"path/filepath"
	"strings"
)

// ModulesDep is what depmod(8) last wrote for a kernel. modprobe(8) reads
// modules.dep.bin only; modules.dep is the text that it was made of. A kernel
// package ships or makes both anew, and then a module of DKMS is in neither.
type ModulesDep struct {
	// There says that both files are there.
	There bool
	text  []byte
	index []byte
}

// readModulesDep reads both files; a missing one is an empty one.
func readModulesDep(kernelDir string) ModulesDep {
	text, err := readRegular(filepath.Join(kernelDir, "modules.dep"))
	index, err2 := readRegular(filepath.Join(kernelDir, "modules.dep.bin"))
	return ModulesDep{There: err == nil && err2 == nil, text: text, index: index}
}

// Names says whether depmod found the file NAME in the install directory. The
// index holds each line of the text whole as a value of its trie (kmod,
// libkmod-index), so that looking for the bytes is enough.
func (d ModulesDep) Names(name string) bool {
	entry := []byte(installedUnder + "/" + name + ":")
	return startsLine(d.text, entry) && bytes.Contains(d.index, entry)
}

// Installed gives the files in the install directory that modules.dep names.
func (d ModulesDep) Installed() []string {
	var names []string
	for line := range bytes.Lines(d.text) {
		if rest, ok := bytes.CutPrefix(line, []byte(installedUnder+"/")); ok {
			if name, _, ok := strings.Cut(string(rest), ":"); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// Own gives the paths of the kernel's own modules, as they stand in its directory.
func (d ModulesDep) Own() []string {
	var paths []string
	for line := range bytes.Lines(d.text) {
		if path, _, ok := bytes.Cut(line, []byte(":")); ok && bytes.HasPrefix(path, []byte("kernel/")) {
			paths = append(paths, string(path))
		}
	}
	return paths
}

// foreign says that there are modules which are neither the kernel's own nor of
// dkms: what those export is not known here.
func (d ModulesDep) foreign() bool {
	for line := range bytes.Lines(d.text) {
		if !bytes.HasPrefix(line, []byte("kernel/")) && !bytes.HasPrefix(line, []byte(installedUnder+"/")) {
			return true
		}
	}
	return false
}

// InKernel says whether the kernel brings a module of that name itself.
func (d ModulesDep) InKernel(base string) bool {
	return bytes.Contains(d.text, []byte("/"+base+".ko")) && d.inKernel(base)
}

func (d ModulesDep) inKernel(base string) bool {
	for line := range bytes.Lines(d.text) {
		path, _, _ := strings.Cut(string(line), ":")
		if !strings.HasPrefix(path, installedUnder+"/") && trimKo(filepath.Base(path)) == base {
			return true
		}
	}
	return false
}

func startsLine(text, prefix []byte) bool {
	return bytes.HasPrefix(text, prefix) || bytes.Contains(text, append([]byte("\n"), prefix...))
}
