package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/shvars"
)

// Survey is the state of the DKMS tree, whatever the kernel. The snapshots of several kernels
// are taken from one Survey, so that what they share is read once.
type Survey struct {
	layout Layout
	// notes are the names of the entries at the top of the tree that are not modules.
	notes   []string
	modules []moduleDir
	// overrides are the names of the files in /etc/dkms.
	overrides []string
}

// moduleDir is MODULE/ of the tree.
type moduleDir struct {
	name string
	// links are the names of its kernel links. archived are the kernels of which dkms archived
	// modules for it.
	links, archived []string
	versions        []versionDir
	trouble         string
	// linkTemp reports whether a kernel link was being created and was not finished.
	linkTemp bool
}

// versionDir is MODULE/VERSION/ of the tree.
type versionDir struct {
	module Module
	// dirs are the names of its directories, and of its links except source. empty reports
	// whether there is no entry at all.
	dirs  []string
	empty bool
	// source is the target of the source link, and sourceErr why there is none. conf parses the
	// dkms.conf there, once.
	source    string
	sourceErr error
	conf      func() (shvars.Assignments, error)
}

// Survey reads the DKMS tree, or only the modules with the given names. A missing tree counts
// as an empty one.
func (l Layout) Survey(names ...string) (*Survey, error) {
	sv := &Survey{layout: l}
	if len(names) == 0 {
		entries, err := os.ReadDir(l.TreePath())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return sv, fmt.Errorf("cannot read the DKMS tree: %w", err)
		}
		for _, entry := range entries {
			if l.NoFollow().IsSubdir(l.DKMSTree, entry) && checkName(entry.Name()) == nil {
				names = append(names, entry.Name())
			} else {
				sv.notes = append(sv.notes, entry.Name())
			}
		}
	}
	sv.modules = make([]moduleDir, len(names))
	SideBySide(len(names), func(i int) { sv.modules[i] = l.readModuleDir(names[i]) })
	entries, _ := os.ReadDir(l.Path("/etc/dkms"))
	for _, entry := range entries {
		sv.overrides = append(sv.overrides, entry.Name())
	}
	return sv, nil
}

func (l Layout) readModuleDir(name string) moduleDir {
	d := moduleDir{name: name}
	dir := l.ModuleDir(name)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.trouble = fmt.Sprintf("%s: cannot read its directory: %v", name, err)
	}
	for _, entry := range entries {
		switch {
		case entry.Name() == nofollow.LinkTemp:
			d.linkTemp = true
		case entry.Type()&fs.ModeSymlink != 0 && strings.HasPrefix(entry.Name(), "kernel-"):
			d.links = append(d.links, entry.Name())
		case entry.IsDir() && entry.Name() == Originals:
			d.archived = DirNames(filepath.Join(dir, Originals))
		case l.NoFollow().IsSubdir(filepath.Join(l.DKMSTree, name), entry) && checkName(entry.Name()) == nil:
			d.versions = append(d.versions, l.readVersionDir(Module{Name: name, Version: entry.Name()}))
		}
	}
	return d
}

func (l Layout) readVersionDir(m Module) versionDir {
	dir := l.VersionDir(m)
	entries, _ := os.ReadDir(dir)
	d := versionDir{module: m, empty: len(entries) == 0}
	for _, entry := range entries {
		if entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 && entry.Name() != "source" {
			d.dirs = append(d.dirs, entry.Name())
		}
	}
	link := filepath.Join(dir, "source")
	d.source, d.sourceErr = os.Readlink(link)
	if d.sourceErr != nil && !errors.Is(d.sourceErr, fs.ErrNotExist) { // dkms 3.0 accepts a directory as a source as well
		d.source, d.sourceErr = link, nil
	}
	d.conf = sync.OnceValues(func() (shvars.Assignments, error) { return readSourceConf(l.inRoot(link), d.source) })
	return d
}

func (d versionDir) has(dir string) bool { return slices.Contains(d.dirs, dir) }

// NeedsRecovery reports whether an interrupted run or a removal has set builds of the kernel
// aside, so that they have to be restored or discarded first.
func (sv *Survey) NeedsRecovery(kernel Release) bool {
	for _, module := range sv.modules {
		for _, version := range module.versions {
			if version.has(PreviousName(kernel)) || version.has(BackupName(kernel)) {
				return true
			}
		}
	}
	return false
}

// Modules returns the registered modules as NAME/VERSION.
func (sv *Survey) Modules() []string {
	var names []string
	for _, module := range sv.modules {
		for _, version := range module.versions {
			if !version.empty {
				names = append(names, version.module.String())
			}
		}
	}
	return names
}

// VersionsWith returns the modules that have an entry with this name in MODULE/VERSION.
func (l Layout) VersionsWith(name string) []Module {
	var found []Module
	modules, _ := os.ReadDir(l.TreePath())
	for _, module := range modules {
		if !l.NoFollow().IsSubdir(l.DKMSTree, module) || checkName(module.Name()) != nil {
			continue
		}
		versions, _ := os.ReadDir(l.ModuleDir(module.Name()))
		for _, version := range versions {
			m := Module{Name: module.Name(), Version: version.Name()}
			if _, err := os.Lstat(filepath.Join(l.VersionDir(m), name)); err == nil && l.NoFollow().IsSubdir(filepath.Join(l.DKMSTree, m.Name), version) {
				found = append(found, m)
			}
		}
	}
	return found
}
