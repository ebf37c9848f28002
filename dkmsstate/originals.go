package dkmsstate

import (
	"bytes"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
)

// Original is a module of the kernel that dkms moved into its tree when it installed one of the
// same name.
type Original struct {
	// Place is the path, below the directory of the kernel, from which dkms moved the file. File is
	// the path to which it did.
	Place, File string
}

// OriginalSuffix ends the name of the file in which dkms 3.1.7 and later note the place of an
// Original.
const OriginalSuffix = ".origin"

// Originals returns the modules of the kernel in whose place modules of DKMS are installed. One
// whose place is not known is left out.
func (s Snapshot) Originals() []Original {
	var originals []Original
	for _, b := range s.linkedBuilds() {
		if !b.Original {
			continue
		}
		dir := s.Layout.OriginalDir(b.Module.Name, s.Kernel, b.Arch)
		_ = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || kmod.TrimSuffix(entry.Name()) == entry.Name() || !b.installs(modprobe.ModuleName(entry.Name())) {
				return nil
			}
			if place := s.originalPlace(dir, file); strings.HasPrefix(place, "kernel/") {
				originals = append(originals, Original{place, file})
			}
			return nil
		})
	}
	return originals
}

// Provides reports whether a module of DKMS with a name, as lsmod(8) prints it, is installed.
func (s Snapshot) Provides(name string) bool {
	return slices.ContainsFunc(s.linkedBuilds(), func(b Build) bool { return b.installs(name) })
}

// linkedBuilds returns the builds that the kernel links name.
func (s Snapshot) linkedBuilds() []Build {
	return slices.DeleteFunc(slices.Clone(s.Builds), func(b Build) bool { return !s.Linked(b) })
}

// installs reports whether a file of the build is installed that is the named module.
func (b Build) installs(name string) bool {
	return slices.ContainsFunc(b.Files, func(f File) bool {
		return f.Copy != kmod.CopyMissing && modprobe.ModuleName(f.Name) == name
	})
}

// originalPlace returns the path, below the directory of the kernel, from which dkms moved a file
// of its archive dir, "" if it is not known. Several of the same name are in collisions/, below the
// directories that they came from. Else dkms noted the path, or modules.order lists it.
func (s Snapshot) originalPlace(dir, file string) string {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return ""
	}
	if place, ok := strings.CutPrefix(rel, "collisions/"); ok {
		return place
	}
	if note, err := regular.ReadFile(file + OriginalSuffix); err == nil {
		line, _, _ := bytes.Cut(note, []byte("\n"))
		place, _ := strings.CutPrefix(path.Clean(string(line)), path.Join(s.Layout.Install, string(s.Kernel))+"/")
		return place
	}
	name := path.Base(file)
	for line := range bytes.Lines(s.Dep.order()) {
		if built := string(bytes.TrimSpace(line)); path.Base(built) == kmod.TrimSuffix(name)+".ko" {
			return path.Join(path.Dir(built), name)
		}
	}
	return ""
}
