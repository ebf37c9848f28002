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
	// Files are the module files of the build; without one it is no build but
	// what an interrupted run left (dkms refuses to build over it).
	Files []File
	// Fresh is whether it still fits the kernel; Examine finds it.
	Fresh Freshness
	// Original reports whether dkms archived modules of the kernel itself for this
	// module, which uninstalling has to put back.
	Original bool
	// Stamp and Installed name the present state of its files and of those that are
	// installed in their names.
	Stamp, Installed string
}

// File is one kernel module of a build and its copy in the kernel's tree.
type File struct {
	// Name is the base name, such as loop.ko.xz, Installed that of the installed file:
	// the same, unless its owner compressed it in another way.
	Name, Installed string
	// Copy is how the installed file compares with the built one, Reason says how they
	// differ, and OtherABI reports whether at most one of them fits the kernel.
	Copy     kmod.Copy
	Reason   string
	OtherABI bool
	// Whose is the DKMS module whose build is installed, of a foreign copy.
	Whose Module
	// InKernel reports of a file that is not installed whether the kernel has a module
	// of that name itself.
	InKernel bool
	// Absent reports whether the module's own script removed the file, or moved it, when
	// dkms installed it.
	Absent bool
	// OtherCompressions are other installed files of the same module that are superfluous.
	OtherCompressions []string
}

// Complete reports whether the build holds at least one module file, none of them empty.
func (b Build) Complete() bool { return len(b.Files) > 0 }

// Originals is MODULE/original_module, where dkms archives modules of the kernel.
const Originals = "original_module"

// ReadBuild reads a build and compares with it what is installed.
func (s *Snapshot) ReadBuild(m Module, arch string, kept KernelRecord) Build {
	b := Build{Module: m, Arch: arch}
	dir := filepath.Join(s.Layout.BuildDir(m, s.Kernel, arch), "module")
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
		b.Files = append(b.Files, File{Name: name, Installed: name, Copy: kmod.CopySame})
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
		f.InKernel = f.Copy == kmod.CopyMissing && s.Dep.InKernel(kmod.TrimSuffix(f.Name))
		f.Absent = f.Copy == kmod.CopyMissing && known.Stamp == b.Stamp && slices.Contains(known.Absent, f.Name)
		b.Files[i] = f
	}
	return b
}

// stampInstalled names the state of what is installed in the names of a build's files.
func (s *Snapshot) stampInstalled(b Build) string {
	var installed stamp
	for _, f := range b.Files {
		for _, name := range kmod.FileNames(kmod.TrimSuffix(f.Name)) {
			if name == f.Name || s.installed(name) {
				installed.addFile(filepath.Join(s.Layout.InstallDir(s.Kernel), name))
			}
		}
	}
	return installed.sum()
}

// findForeign finds installed files that another DKMS module built, or another version
// of the same one. Two packages may bring a module of the same name; the one that was
// installed last is there then.
func (s *Snapshot) findForeign() {
	for i, b := range s.Builds {
		for j, f := range b.Files {
			if f.Copy == kmod.CopySame || f.Copy == kmod.CopyMissing {
				continue
			}
			installed := filepath.Join(s.Layout.InstallDir(s.Kernel), f.Installed)
			if whose, ok := s.builderOf(b, f.Name, installed); ok {
				f = File{Name: f.Name, Installed: f.Installed, Copy: CopyForeign, Whose: whose, Reason: "is that of " + whose.String()}
				if whose.Name == b.Module.Name { // the kernel link says that this version is installed
					f.Copy = kmod.CopyDamaged
				}
				s.Builds[i].Files[j] = f
			} else if f.Copy == CopyForeign { // that module is gone, and its file is not
				s.Builds[i].Files[j].Copy, s.Builds[i].Files[j].Whose = kmod.CopyAltered, Module{}
			}
		}
	}
}

// builderOf returns the module, other than that of a build, whose built file is the
// installed one.
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

// AllInstalled reports whether there is an installed file for each file of a build.
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

// BuiltFiles returns the paths of a build's modules.
func (l Layout) BuiltFiles(kernel Release, b Build) []string {
	var paths []string
	for _, f := range b.Files {
		paths = append(paths, filepath.Join(l.BuildDir(b.Module, kernel, b.Arch), "module", f.Name))
	}
	return paths
}
