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

// Again takes a new snapshot, for example after a run. Facts about the kernel are not read
// again while its files are the same.
func (s Snapshot) Again(kept KernelRecord) (Snapshot, error) {
	after, err := ReadSnapshot(s.Layout, s.Kernel, s.Arch, kept)
	after.Facts, after.Forced = s.Facts, s.Forced
	return after, err
}

// NoAutoinstallFile is the file that keeps dkms from installing modules unasked (dkms(8),
// autoinstall).
const NoAutoinstallFile = "/etc/dkms/no-autoinstall"

// noAutoinstall reports whether NoAutoinstallFile exists, as `[ -f` in dkms does.
func (sv *Survey) noAutoinstall() bool {
	if !slices.Contains(sv.overrides, filepath.Base(NoAutoinstallFile)) {
		return false
	}
	info, err := os.Stat(sv.layout.inRoot(sv.layout.Path(NoAutoinstallFile)))
	return err == nil && info.Mode().IsRegular()
}

// Snapshot is the state of DKMS for one kernel. Its lists are sorted by the names of the
// modules.
type Snapshot struct {
	Layout Layout
	Kernel Release
	// Arch is the architecture that the kernel's modules are built for. ArchDetected reports
	// whether the kernel's configuration says so.
	Arch         string
	ArchDetected bool
	// There reports whether the kernel's module tree exists, so that modules can be installed
	// into it. Headers alone do not make a kernel.
	There bool
	// Headers reports whether modules can be built: build/include exists.
	Headers bool
	// Mismatch is what shows that the headers are not those of the image, "" if nothing does.
	// fresh.Examine sets it.
	Mismatch string
	// Forced reports whether somebody insists on building with these headers all the same.
	Forced bool
	// NoAutoinstall reports whether NoAutoinstallFile exists.
	NoAutoinstall bool
	// Registrations are all modules that DKMS knows, including broken ones.
	Registrations []Registration
	// Builds are this kernel's builds, of every architecture.
	Builds []Build
	// Links are the kernel-KVER-ARCH links of this kernel.
	Links []Link
	// Unowned are files in the install directory that no build accounts for.
	Unowned []string
	// Dep is what depmod last wrote for this kernel.
	Dep ModulesDep
	// Shadows are the installed files that modprobe does not load.
	Shadows []Shadow
	// Compression is the suffix (.gz, .xz, .zst) by which uncompressed builds should be
	// compressed. It is "" if there are none, or no program to do it.
	Compression string
	// LeftoversOf are the modules for which an interrupted run left something behind.
	LeftoversOf []Module
	// Leftovers are the files that killed programs left behind, as paths of the system.
	Leftovers []string
	// DepmodPending reports whether dkms noted that it did not run depmod for the kernel.
	DepmodPending bool
	// Unfinished is the note of a run of ours that was interrupted, failed or postponed.
	Unfinished UnfinishedNote
	// DKMSRunning reports whether a dkms is running that somebody else called. Leftovers and
	// notes may be its own.
	DKMSRunning bool
	// Troubles are messages about what could not be read.
	Troubles []string
	// installed reports whether the install directory has a file with the given name.
	installed func(name string) bool
	// Facts is what package fresh has read of the kernel.
	Facts *KernelFacts
	// inputs are the results of FindInputs, by MODULE/VERSION.
	inputs map[string]string
}

// ReadSnapshot reads the DKMS tree and the snapshot of one kernel; see Survey.Snapshot.
func ReadSnapshot(l Layout, kernel Release, uname string, kept KernelRecord) (Snapshot, error) {
	survey, err := l.Survey()
	if err != nil {
		return l.EmptySnapshot(kernel), err
	}
	return survey.Snapshot(kernel, uname, kept), nil
}

// Snapshot reads the snapshot of one kernel. A module that cannot be read is reported in
// Troubles and never hides another one.
//
// uname is the architecture (`uname -m`) that is used if neither the kernel nor its builds show
// another one. Installed files that equal the built ones according to kept are not read again.
func (sv *Survey) Snapshot(kernel Release, uname string, kept KernelRecord) Snapshot {
	l := sv.layout
	s := l.EmptySnapshot(kernel)
	s.There = l.KernelThere(kernel)
	s.Headers = AnyExists(l.HeadersDir(kernel), "include")
	s.NoAutoinstall = sv.noAutoinstall()
	files := fileNames(l.PlaceDir(kernel, InstalledUnder))
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
	s.ReadDep(kept.Dep)
	s.findCompression()
	s.findUnowned(files)
	s.findLeftovers(files)
	s.DepmodPending, s.Unfinished = len(DepmodPending(kernel, sv.notes)) > 0, l.Unfinished(kernel)
	s.DKMSRunning = l.Root == "/" && (s.DepmodPending || s.Unfinished.Begun() || len(s.LeftoversOf) > 0) && dkmsRunning()
	return s
}

// EmptySnapshot returns a snapshot of which nothing is read yet, for looking at a single
// module.
func (l Layout) EmptySnapshot(kernel Release) Snapshot {
	return Snapshot{Layout: l, Kernel: kernel, Dep: NewModulesDep(l.KernelDir(kernel)), installed: func(name string) bool {
		_, err := os.Lstat(filepath.Join(l.PlaceDir(kernel, InstalledUnder), name))
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

// Buildable reports whether modules can be built: the headers are installed, and nothing shows
// that they are not those of the image, or somebody insists.
func (s Snapshot) Buildable() bool { return s.Headers && (s.Mismatch == "" || s.Forced) }

// modulePart is the part of a snapshot that belongs to one module.
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
		link, ours, err := s.readLink(d.name, name)
		switch {
		case err != nil:
			part.troubles = append(part.troubles, err.Error())
		case ours:
			part.links = append(part.links, link)
		}
	}
	archived := slices.Contains(d.archived, string(s.Kernel))
	for _, version := range d.versions {
		builds, leftovers := s.readVersion(version, archived, kept)
		part.builds = append(part.builds, builds...)
		if leftovers {
			part.remains = append(part.remains, version.module)
		}
	}
	return part
}

// readLink reads a link kernel-KVER-ARCH of a module, and reports whether it is one of the
// kernel: kernel-6.1-rt-x86_64 belongs to another one than kernel-6.1-x86_64.
func (s *Snapshot) readLink(module, name string) (link Link, ours bool, err error) {
	arch, ok := strings.CutPrefix(name, "kernel-"+string(s.Kernel)+"-")
	if !ok || strings.Contains(arch, "-") {
		return Link{}, false, nil
	}
	path := filepath.Join(s.Layout.ModuleDir(module), name)
	target, err := os.Readlink(path)
	if err != nil {
		return Link{}, false, fmt.Errorf("%s: cannot read its link %s: %w", module, path, err)
	}
	return NewLink(module, arch, target, s.Kernel), true, nil
}

// readVersion reads the builds of a version for the kernel, and reports whether an interrupted
// run left anything. archived reports whether dkms keeps modules of the kernel itself for it.
func (s *Snapshot) readVersion(version versionDir, archived bool, kept KernelRecord) (builds []Build, leftovers bool) {
	leftovers = version.has(TrashName(s.Kernel))
	if !version.has(string(s.Kernel)) {
		return nil, leftovers
	}
	m := version.module
	arches, err := os.ReadDir(filepath.Join(s.Layout.VersionDir(m), string(s.Kernel)))
	leftovers = leftovers || err == nil && len(arches) == 0 // dkms was interrupted
	partial := slices.ContainsFunc(arches, func(entry os.DirEntry) bool { return entry.Name() == nofollow.PartialMark })
	for _, arch := range arches {
		leftovers = leftovers || IsScratch(arch.Name())
		if arch.IsDir() && !strings.HasPrefix(arch.Name(), ".") && !partial {
			b := s.ReadBuild(m, arch.Name(), kept)
			b.Original = archived && HasEntries(s.Layout.OriginalDir(m.Name, s.Kernel, b.Arch))
			builds = append(builds, b)
		}
	}
	return builds, leftovers
}

// arches returns the architectures of the kernel's builds and links.
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

// findUnowned finds installed module files that belong to no build.
func (s *Snapshot) findUnowned(files []string) {
	known := map[string]bool{}
	for _, b := range s.Builds {
		for _, f := range b.Files {
			if f.Dir == InstalledUnder || f.Dir == "" {
				known[kmod.TrimSuffix(f.Name)] = true
			}
		}
	}
	for _, name := range files {
		if base := kmod.TrimSuffix(name); base != name && !known[base] {
			s.Unowned = append(s.Unowned, name)
		}
	}
}
