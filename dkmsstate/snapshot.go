package dkmsstate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// Again looks once more, as after a run; what the kernel says of itself is not read
// again while its files are the same.
func (s Snapshot) Again(kept KernelRecord) (Snapshot, error) {
	after, err := ReadSnapshot(s.Layout, s.Kernel, s.Arch, kept)
	after.Facts, after.Forced = s.Facts, s.Forced
	return after, err
}

// Snapshot is what DKMS and one kernel have, as found by looking. Its lists are in
// the order of the modules' names.
type Snapshot struct {
	Layout Layout
	Kernel Release
	// Arch is the architecture that the kernel's modules are built for, ArchDetected
	// that the kernel itself says so.
	Arch         string
	ArchDetected bool
	// There reports whether the kernel's module tree is there, so that modules can be
	// installed into it; headers alone do not make a kernel.
	There bool
	// Headers reports whether modules can be built: build/include is there.
	Headers bool
	// Mismatch says how the headers show that they are not those of the image, ""
	// when they do not; Examine finds it.
	Mismatch string
	// Forced reports whether somebody insists on building with these headers all the same.
	Forced bool
	// NoAutoinstall reports whether /etc/dkms/no-autoinstall is there.
	NoAutoinstall bool
	// Registrations are all modules that DKMS knows, broken ones included.
	Registrations []Registration
	// Builds are this kernel's builds, of every architecture.
	Builds []Build
	// Links are the kernel-KVER-ARCH links of this kernel.
	Links []Link
	// Unowned are files in the install directory that no build accounts for.
	Unowned []string
	// Dep is what depmod last wrote for this kernel.
	Dep ModulesDep
	// Compression is the end of a name (.gz, .xz, .zst) by which builds that are not
	// compressed should be, "" where none is or nothing could do it.
	Compression string
	// LeftoversOf are modules for which a run that was cut off left something.
	LeftoversOf []Module
	// Leftovers are files that programs which were killed left, as paths of the system.
	Leftovers []string
	// DepmodPending reports whether a run which was cut off owes the kernel a depmod, by a note of
	// dkms or of our own.
	DepmodPending bool
	// DKMSRunning reports whether a dkms is at work that somebody else called: remains and
	// notes may be its own.
	DKMSRunning bool
	// Troubles are what could not be read, each a sentence.
	Troubles []string
	// installed reports whether the install directory has a file of a name.
	installed func(name string) bool
	// Facts is what package fresh read of the kernel.
	Facts *KernelFacts
	// inputs are what Examine found of modules in trouble (Inputs), by MODULE/VERSION.
	inputs map[string]string
}

// ReadSnapshot looks at the DKMS tree and at one kernel; see Survey.Snapshot.
func ReadSnapshot(l Layout, kernel Release, uname string, kept KernelRecord) (Snapshot, error) {
	survey, err := l.Survey()
	if err != nil {
		return l.EmptySnapshot(kernel), err
	}
	return survey.Snapshot(kernel, uname, kept), nil
}

// Snapshot looks at one kernel. A module that cannot be read is a trouble and never
// hides another.
//
// uname is the architecture to take where neither the kernel nor what was built
// for it tells (`uname -m`). Installed files that kept knows to equal the built ones
// are not read again.
func (sv *Survey) Snapshot(kernel Release, uname string, kept KernelRecord) Snapshot {
	l := sv.layout
	s := l.EmptySnapshot(kernel)
	s.There = l.KernelThere(kernel)
	s.Headers = AnyExists(l.HeadersDir(kernel), "include")
	s.NoAutoinstall = slices.Contains(sv.overrides, "no-autoinstall")
	files := fileNames(l.InstallDir(kernel))
	s.installed = func(name string) bool { _, ok := slices.BinarySearch(files, name); return ok }
	parts := make([]modulePart, len(sv.modules))
	SideBySide(len(parts), func(i int) { parts[i] = s.readModule(sv.modules[i], kept) })
	for _, part := range parts {
		s.Builds = append(s.Builds, part.builds...)
		s.Links = append(s.Links, part.links...)
		s.LeftoversOf = append(s.LeftoversOf, part.remains...)
		s.Troubles = append(s.Troubles, part.troubles...)
		s.Leftovers = append(s.Leftovers, part.leftovers...)
	}
	s.findForeign()
	s.Arch, s.ArchDetected = l.findArch(kernel, uname, s.arches())
	SideBySide(len(parts), func(i int) { parts[i].registrations = sv.readRegistrations(sv.modules[i], kernel, s.Arch) })
	for _, part := range parts {
		s.Registrations = append(s.Registrations, part.registrations...)
	}
	s.Dep.Read(l.KernelDir(kernel), l.InstallDir(kernel), kept.Dep)
	s.findCompression()
	s.findUnowned(files)
	s.findLeftovers(files)
	s.DepmodPending = len(DepmodPending(kernel, sv.notes)) > 0 || l.Unfinished(kernel) == Interrupted
	s.DKMSRunning = l.Root == "/" && (s.DepmodPending || len(s.LeftoversOf) > 0) && dkmsRunning()
	return s
}

// EmptySnapshot returns a snapshot in which nothing is looked up yet, for a look at one module.
func (l Layout) EmptySnapshot(kernel Release) Snapshot {
	return Snapshot{Layout: l, Kernel: kernel, Dep: NewModulesDep(l.KernelDir(kernel)), installed: func(name string) bool {
		_, err := os.Lstat(filepath.Join(l.InstallDir(kernel), name))
		return err == nil
	}}
}

// ModuleSnapshot reads what one module has on the kernel, and nothing else.
func (l Layout) ModuleSnapshot(kernel Release, name string) Snapshot {
	s := l.EmptySnapshot(kernel)
	part := s.readModule(l.readModuleDir(name), KernelRecord{})
	s.Builds, s.Links, s.LeftoversOf = part.builds, part.links, part.remains
	return s
}

// Buildable reports whether modules can be built: the headers are there, and the image's as
// far as can be shown, or somebody insists.
func (s Snapshot) Buildable() bool { return s.Headers && (s.Mismatch == "" || s.Forced) }

// modulePart is what one module gives to a snapshot.
type modulePart struct {
	registrations []Registration
	builds        []Build
	links         []Link
	remains       []Module
	troubles      []string
	leftovers     []string
}

// readModule reads what a module has on the kernel.
func (s *Snapshot) readModule(d moduleDir, kept KernelRecord) modulePart {
	var part modulePart
	if d.trouble != "" {
		part.troubles = append(part.troubles, d.trouble)
	}
	if d.linkTemp {
		part.leftovers = append(part.leftovers, filepath.Join(s.Layout.DKMSTree, d.name, nofollow.LinkTemp))
	}
	for _, name := range d.links {
		arch, ok := strings.CutPrefix(name, "kernel-"+string(s.Kernel)+"-")
		if !ok || strings.Contains(arch, "-") {
			continue // kernel-6.1-rt-x86_64 is another kernel's than kernel-6.1-x86_64
		}
		path := filepath.Join(s.Layout.ModuleDir(d.name), name)
		target, err := os.Readlink(path)
		if err != nil {
			part.troubles = append(part.troubles, fmt.Sprintf("%s: cannot read its link %s: %v", d.name, path, err))
			continue
		}
		part.links = append(part.links, NewLink(d.name, arch, target, s.Kernel))
	}
	for _, version := range d.versions {
		if !version.has(string(s.Kernel)) {
			if version.has(TrashName(s.Kernel)) {
				part.remains = append(part.remains, version.module)
			}
			continue
		}
		arches, err := os.ReadDir(filepath.Join(s.Layout.VersionDir(version.module), string(s.Kernel)))
		scratch := version.has(TrashName(s.Kernel)) || err == nil && len(arches) == 0 // dkms was cut off
		half := slices.ContainsFunc(arches, func(entry os.DirEntry) bool { return entry.Name() == nofollow.PartialMark })
		for _, arch := range arches {
			scratch = scratch || IsScratch(arch.Name())
			if arch.IsDir() && !strings.HasPrefix(arch.Name(), ".") && !half {
				b := s.ReadBuild(version.module, arch.Name(), kept)
				b.Original = slices.Contains(d.archived, string(s.Kernel)) && HasEntries(s.Layout.OriginalDir(d.name, s.Kernel, b.Arch))
				part.builds = append(part.builds, b)
			}
		}
		if scratch {
			part.remains = append(part.remains, version.module)
		}
	}
	return part
}

// arches returns the architectures that the kernel has builds or links of.
func (s Snapshot) arches() []string {
	var had []string
	for _, b := range s.Builds {
		had = append(had, b.Arch)
	}
	for _, l := range s.Links {
		had = append(had, l.Arch)
	}
	return had
}

// findUnowned looks for module files that dkms installed and no longer knows.
func (s *Snapshot) findUnowned(files []string) {
	known := map[string]bool{}
	for _, b := range s.Builds {
		for _, f := range b.Files {
			known[kmod.TrimSuffix(f.Name)] = true
		}
	}
	for _, name := range files {
		if base := kmod.TrimSuffix(name); base != name && !known[base] {
			s.Unowned = append(s.Unowned, name)
		}
	}
}
