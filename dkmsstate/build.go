package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Build is MODULE/VERSION/KVER/ARCH of the DKMS tree.
type Build struct {
	Module Module
	Arch   string
	// Files are the module files of the build. If there is none, the directory is not a build
	// but a leftover of an interrupted run, and dkms refuses to build over it.
	Files []File
	// Fresh is whether the build still fits the kernel. fresh.Examine sets it.
	Fresh Freshness
	// Original reports whether dkms archived modules of the kernel itself for this module.
	// Uninstalling has to put these back.
	Original bool
	// Stamp identifies the present state of the build's files, Installed that of the installed
	// files with their names.
	Stamp, Installed string
}

// File is one kernel module of a build and its copy in the kernel's tree.
type File struct {
	// Name is the base name, such as loop.ko.xz. Installed is the base name of the installed
	// file, which differs only if its owner compressed it in another way.
	Name, Installed string
	// Dir is the directory, below that of the kernel, in which the installed file is or belongs.
	// It is "" if only dkms knows it.
	Dir string
	// Copy is the result of comparing the installed file with the built one, and Reason is how
	// they differ. OtherABI reports whether at most one of them fits the kernel.
	Copy     kmod.Copy
	Reason   string
	OtherABI bool
	// Whose is the other DKMS module, or version, whose file is installed under this name.
	Whose Module
	// InKernel reports whether the kernel itself has a module of that name. It is set only if
	// the file is not installed. Overwritten reports whether that module was put in the place of
	// the installed one.
	InKernel, Overwritten bool
	// Absent reports whether the module's own script removed or moved the file when dkms
	// installed it.
	Absent bool
	// OtherCompressions are other installed files of the same module that are superfluous.
	OtherCompressions []string
}

// Complete reports whether the build has module files, all of them usable.
func (b Build) Complete() bool { return len(b.Files) > 0 }

// Originals is the name of the directory in MODULE/ where dkms archives modules of the kernel.
const Originals = "original_module"

// ReadBuild reads a build and compares the installed files with it. Files that are in the state
// recorded in kept are not compared again.
func (s *Snapshot) ReadBuild(m Module, arch string, kept KernelRecord) Build {
	b := Build{Module: m, Arch: arch}
	dir := filepath.Join(s.Layout.BuildDir(m, s.Kernel, arch), "module")
	place := s.placer(m, arch)
	var built stamp
	for _, name := range fileNames(dir) {
		if kmod.TrimSuffix(name) == name {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
			b.Files = nil // one unusable file makes the whole build unusable
			break
		}
		built.add(info)
		b.Files = append(b.Files, File{Name: name, Installed: name, Dir: place(filepath.Join(dir, name)), Copy: kmod.CopySame})
	}
	b.Stamp, b.Installed = built.sum(), s.stampInstalled(b)
	known, same := kept.Builds[b.Key()]
	same = same && known.Stamp == b.Stamp && known.Installed == b.Installed
	for i, f := range b.Files {
		if same {
			b.Files[i] = known.file(f)
			continue
		}
		f = s.compareFile(b, filepath.Join(dir, f.Name), f)
		f.InKernel = f.Copy == kmod.CopyMissing && s.InKernel(f)
		f.Absent = f.Copy == kmod.CopyMissing && known.Stamp == b.Stamp && slices.Contains(known.Absent, f.Name)
		b.Files[i] = f
	}
	return b
}

// stampInstalled identifies the state of the installed files that have the names of a build's
// files, in any compression.
func (s *Snapshot) stampInstalled(b Build) string {
	var installed stamp
	for _, f := range b.Files {
		if f.Dir != InstalledUnder {
			installed.addText(f.Dir)
		}
		for _, name := range kmod.FileNames(kmod.TrimSuffix(f.Name)) {
			if f.Dir != "" && (name == f.Name || s.isIn(f.Dir, name)) {
				installed.addFile(filepath.Join(s.Layout.PlaceDir(s.Kernel, f.Dir), name))
			}
		}
	}
	return installed.sum()
}

// findForeign finds installed files that were built by another DKMS module, or by another
// version of the same one. Two packages may contain modules of the same name. The file of the
// module that was installed last is there then.
func (s *Snapshot) findForeign() {
	for i, b := range s.Builds {
		for j, f := range b.Files {
			if f.Copy == kmod.CopySame || f.Copy == kmod.CopyMissing {
				continue
			}
			installed := s.Layout.InstalledFile(s.Kernel, f)
			if whose, ok := s.builderOf(b, f.Name, installed); ok {
				f = File{Name: f.Name, Installed: f.Installed, Dir: f.Dir, Copy: CopyForeign, Whose: whose, Reason: "belongs to " + whose.String()}
				if whose.Name == b.Module.Name { // the kernel link says that this version is installed
					f.Copy = kmod.CopyDamaged
				}
				s.Builds[i].Files[j] = f
			} else if f.Copy == CopyForeign { // that module is gone, but its file is not
				s.Builds[i].Files[j].Copy, s.Builds[i].Files[j].Whose = kmod.CopyAltered, Module{}
			}
		}
	}
}

// builderOf returns the module, other than that of b, whose built file is the installed one.
func (s *Snapshot) builderOf(b Build, name, installed string) (Module, bool) {
	info, err := os.Stat(installed)
	if err != nil {
		return Module{}, false
	}
	for _, other := range s.Builds {
		if other.Module == b.Module || other.Arch != b.Arch {
			continue
		}
		for _, f := range other.Files {
			if kmod.TrimSuffix(f.Name) == kmod.TrimSuffix(name) && kmod.SameFile(filepath.Join(s.Layout.BuildDir(other.Module, s.Kernel, other.Arch), "module", f.Name), installed, info) {
				return other.Module, true
			}
		}
	}
	return Module{}, false
}

func (b Build) Has(name string) bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Name == name })
}

// AllInstalled reports whether each file of the build has an installed file.
func (b Build) AllInstalled() bool {
	return !slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopyMissing })
}

func (l Layout) BuildDir(m Module, kernel Release, arch string) string {
	return filepath.Join(l.VersionDir(m), string(kernel), arch)
}

func (l Layout) OriginalDir(name string, kernel Release, arch string) string {
	return filepath.Join(l.ModuleDir(name), Originals, string(kernel), arch)
}

func (b Build) Key() string { return b.Module.String() + " " + b.Arch }

// BuiltFiles returns the paths of a build's module files.
func (l Layout) BuiltFiles(kernel Release, b Build) []string {
	var paths []string
	for _, f := range b.Files {
		paths = append(paths, filepath.Join(l.BuildDir(b.Module, kernel, b.Arch), "module", f.Name))
	}
	return paths
}
