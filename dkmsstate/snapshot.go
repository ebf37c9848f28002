package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Snapshot is what DKMS and one kernel have, as found by looking.
type Snapshot struct {
	Layout Layout
	Kernel Release
	// Arch is the architecture that the kernel's modules are built for, ArchSure
	// that the kernel itself says so.
	Arch     string
	ArchSure bool
	// There says that the kernel's module tree is there, so that modules can be
	// installed into it; headers alone do not make a kernel.
	There bool
	// Headers says that modules can be built: build/include is there.
	Headers bool
	// Mismatch says how the headers show that they are not those of the image, ""
	// when they do not; Examine finds it.
	Mismatch string
	// NoAutoinstall says that /etc/dkms/no-autoinstall is there.
	NoAutoinstall bool
	// Registrations are all modules that DKMS knows, broken ones included.
	Registrations []Registration
	// Builds are this kernel's builds, of every architecture.
	Builds []Build
	// Links are the kernel-KVER-ARCH links of this kernel.
	Links []Link
	// Stray are files in the install directory that no build accounts for.
	Stray []string
	// Dep is what depmod last wrote for this kernel.
	Dep ModulesDep
	// Remains are modules for which a run that was cut off left something.
	Remains []Module
	// Owed says that a run which was cut off owes the kernel a depmod, by a note of
	// dkms or of our own.
	Owed bool
	// Busy says that a dkms is at work that somebody else called: remains and
	// notes may be its own.
	Busy bool
	// Suffix is the compression of the kernel's own modules, such as .xz; "" for
	// none and where the program for it is missing.
	Suffix string
	// Troubles are what could not be read, each a sentence.
	Troubles []string
}

// ReadSnapshot looks at the DKMS tree and at one kernel's module tree. A tree
// that is not there is an empty one; a module that cannot be read is a trouble
// and never hides another.
//
// uname is the architecture to take where neither the kernel nor what was built
// for it tells (`uname -m`).
func ReadSnapshot(l Layout, kernel Release, uname string) (Snapshot, error) {
	s := Snapshot{Layout: l, Kernel: kernel}
	s.Arch, s.ArchSure = l.findArch(kernel, uname, l.arches(kernel))
	s.There = l.KernelThere(kernel)
	s.Headers = anyExists(l.headersDir(kernel), "include")
	s.NoAutoinstall = anyExists(l.Path("/etc/dkms"), "no-autoinstall")
	s.Dep = readModulesDep(l.kernelDir(kernel))

	entries, err := os.ReadDir(l.tree())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("cannot read the DKMS tree: %w", err)
	}
	for _, entry := range entries {
		if entry.IsDir() && checkName(entry.Name()) == nil {
			s.readModule(entry.Name())
		}
	}
	s.findStray()
	s.Owed = len(l.pending(kernel)) > 0 || l.Pending(kernel) == Begun
	s.Busy = l.Root == "/" && (s.Owed || len(s.Remains) > 0) && dkmsAtWork()
	if suffix := s.Dep.kernelSuffix(); suffix != "" && compressor(suffix) != nil {
		if _, err := lookPath(compressor(suffix)[0]); err == nil {
			s.Suffix = suffix
		}
	}
	return s, nil
}

// buildable says that modules can be built: the headers are there, and the image's.
func (s Snapshot) buildable() bool { return s.Headers && s.Mismatch == "" }

// readModule reads MODULE/ of the tree: its versions and its kernel links.
func (s *Snapshot) readModule(name string) {
	dir := filepath.Join(s.Layout.tree(), name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.Troubles = append(s.Troubles, fmt.Sprintf("%s: cannot be read: %v", name, err))
		return
	}
	for _, entry := range entries {
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			s.readLink(name, filepath.Join(dir, entry.Name()))
		case entry.IsDir() && entry.Name() != "original_module" && checkName(entry.Name()) == nil:
			s.readVersion(Module{Name: name, Version: entry.Name()})
		}
	}
}

func (s *Snapshot) readLink(name, path string) {
	arch, ok := strings.CutPrefix(filepath.Base(path), "kernel-"+string(s.Kernel)+"-")
	if !ok || strings.Contains(arch, "-") {
		return // kernel-6.1-rt-x86_64 is another kernel's than kernel-6.1-x86_64
	}
	target, err := os.Readlink(path)
	if err != nil {
		s.Troubles = append(s.Troubles, fmt.Sprintf("%s: cannot read its link %s: %v", name, path, err))
		return
	}
	s.Links = append(s.Links, newLink(name, arch, target, s.Kernel))
}

// readVersion reads MODULE/VERSION/: the registration and this kernel's builds.
func (s *Snapshot) readVersion(m Module) {
	dir := filepath.Join(s.Layout.tree(), m.Name, m.Version)
	kernelDir := filepath.Join(dir, string(s.Kernel))
	arches, _ := os.ReadDir(kernelDir)
	_, sourceErr := os.Lstat(filepath.Join(dir, "source"))
	if sourceErr != nil && len(arches) == 0 && !hasEntries(dir) {
		return // an empty directory is no registration
	}
	s.Registrations = append(s.Registrations, s.readRegistration(m, dir))
	_, err := os.Lstat(kernelDir)
	scratch := anyExists(dir, asideName(s.Kernel)) || err == nil && len(arches) == 0 // dkms was cut off
	for _, arch := range arches {
		scratch = scratch || isScratch(arch.Name())
		if arch.IsDir() && !strings.HasPrefix(arch.Name(), ".") {
			s.Builds = append(s.Builds, s.readBuild(m, arch.Name()))
		}
	}
	if scratch {
		s.Remains = append(s.Remains, m)
	}
}

func (s *Snapshot) readRegistration(m Module, dir string) Registration {
	r := Registration{Module: m}
	link := filepath.Join(dir, "source")
	target, err := os.Readlink(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Broken = errNoSource
		return r
	case err != nil: // dkms 3.0 takes a directory for a source as well
		target = link
	}
	r.Source = target
	source := s.Layout.inRoot(link)
	if info, err := os.Stat(source); err != nil || !info.IsDir() {
		r.Broken = fmt.Errorf("its source is gone: %s", target)
		return r
	}
	r.Conf, r.Broken = s.Layout.readConf(m, source, s.Kernel, s.Arch)
	return r
}

// inRoot follows a link whose absolute target is meant inside the root.
func (l Layout) inRoot(link string) string {
	target, err := os.Readlink(link)
	if err != nil || l.Root == "/" || !filepath.IsAbs(target) {
		return link
	}
	return l.Path(target)
}

// findStray looks for module files that dkms installed and no longer knows.
func (s *Snapshot) findStray() {
	known := map[string]bool{}
	for _, b := range s.Builds {
		for _, f := range b.Files {
			known[trimKo(f.Name)] = true
		}
	}
	entries, _ := os.ReadDir(s.Layout.installDir(s.Kernel))
	for _, entry := range entries {
		if base := trimKo(entry.Name()); base != entry.Name() && !known[base] {
			s.Stray = append(s.Stray, entry.Name())
		}
	}
	sort.Strings(s.Stray)
}

func anyExists(dir string, names ...string) bool {
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

func hasEntries(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) > 0
}
