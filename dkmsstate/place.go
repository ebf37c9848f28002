package dkmsstate

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// confPlaces returns the directories that the dkms.conf of a module names, with its overrides
// for the kernel.
func (l Layout) confPlaces(m Module, kernel Release, arch string) confPlaces {
	sv := &Survey{layout: l, overrides: fileNames(l.Path("/etc/dkms"))}
	as, err := sv.assignments(l.readVersionDir(m), kernel, arch)
	if err != nil {
		return confPlaces{}
	}
	return newConfPlaces(as)
}

// placer returns a function that finds the directory of an installed file of a module, by the
// path of the built one.
func (s *Snapshot) placer(m Module, arch string) func(built string) string {
	conf := sync.OnceValue(func() confPlaces { return s.Layout.confPlaces(m, s.Kernel, arch) })
	linked := sync.OnceValue(func() bool { return s.Layout.LinkNames(m, s.Kernel, arch) })
	return func(built string) string { return s.place(built, conf, linked) }
}

// place returns the directory, below that of the kernel, in which a file of a build is
// installed. dkms looks for it where it would install it now, and then in DEST_MODULE_LOCATION
// (possible_dest_module_locations), where it may be from a time at which the system had another
// name. A file there that differs from the built one is its owner's work if the kernel link says that
// the module is installed, and if it is not one of the kernel's own. If the file is in neither, place
// returns the first, or "" if only dkms knows it.
func (s *Snapshot) place(built string, conf func() confPlaces, linked func() bool) string {
	base := kmod.TrimSuffix(filepath.Base(built))
	first := s.Layout.Destination.Under
	if first == "" && !s.Layout.Destination.Unknown {
		first = conf().dir(base)
	}
	if first != "" && slices.ContainsFunc(kmod.FileNames(base), func(name string) bool { return s.isIn(first, name) }) {
		return first
	}
	others := []string{conf().dir(base)}
	if first == "" {
		others = append(append(others, InstalledUnder, "updates", "extra"), s.Dep.dirsOf(base)...)
	}
	for _, dir := range others {
		file := filepath.Join(s.Layout.PlaceDir(s.Kernel, dir), filepath.Base(built))
		if dir != "" && s.isIn(dir, filepath.Base(built)) && s.Layout.Reader.Compare(built, file).Copy == kmod.CopySame {
			return dir
		}
	}
	dir := others[0]
	if dir == "" || !linked() || !s.Dep.excludes(dir, base) {
		return first
	}
	for _, name := range kmod.FileNames(base) {
		file := filepath.Join(s.Layout.PlaceDir(s.Kernel, dir), name)
		if s.isIn(dir, name) && s.Layout.Reader.Compare(built, file).Copy == kmod.CopyAltered {
			return dir
		}
	}
	return first
}

// isIn reports whether a directory below that of the kernel has a file with the given name.
func (s *Snapshot) isIn(dir, name string) bool {
	if dir == InstalledUnder {
		return s.installed(name)
	}
	_, err := os.Lstat(filepath.Join(s.Layout.PlaceDir(s.Kernel, dir), name))
	return err == nil
}

// Path returns the path of the installed file below the directory of the kernel, or "" if only
// dkms knows the directory.
func (f File) Path() string {
	if f.Dir == "" {
		return ""
	}
	return path.Join(f.Dir, f.Installed)
}

// Placed reports whether it is known where dkms installs each file of a build.
func (b Build) Placed() bool {
	return !slices.ContainsFunc(b.Files, func(f File) bool { return f.Dir == "" })
}

// InstalledFile returns the path of the installed file of a build's file.
func (l Layout) InstalledFile(k Release, f File) string {
	return filepath.Join(l.PlaceDir(k, f.Dir), f.Installed)
}

// InstallDirs returns the directories, below that of the kernel, in which the kernel's builds
// are installed, sorted. InstalledUnder is always among them.
func (s Snapshot) InstallDirs() []string {
	dirs := []string{InstalledUnder}
	for _, b := range s.Builds {
		for _, f := range b.Files {
			if f.Dir != "" {
				dirs = append(dirs, f.Dir)
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// outside returns the paths, without suffix, of the builds' files that are installed elsewhere
// than in InstalledUnder, sorted.
func (s Snapshot) outside() []string {
	var paths []string
	for _, b := range s.Builds {
		for _, f := range b.Files {
			if f.Dir != "" && f.Dir != InstalledUnder {
				paths = append(paths, path.Join(f.Dir, kmod.TrimSuffix(f.Name)))
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Places returns a function that reports whether a path of modules.dep is that of a module
// which dkms installs.
func (s Snapshot) Places() func(path string) bool {
	outside := s.outside()
	return func(path string) bool {
		_, found := slices.BinarySearch(outside, kmod.TrimSuffix(path))
		return found || strings.HasPrefix(path, InstalledUnder+"/")
	}
}

// Own returns the paths of the kernel's own modules, as in modules.dep.
func (s Snapshot) Own() []string { return slices.DeleteFunc(s.Dep.Own(), s.Places()) }

// CompiledIn returns the names of the modules that the image of the kernel contains, as lsmod(8)
// would print them. modprobe(8) loads no file of such a module (kmod, module_is_inkernel).
func (s Snapshot) CompiledIn() map[string]bool {
	names := map[string]bool{}
	text, _ := regular.ReadFile(filepath.Join(s.Layout.KernelDir(s.Kernel), "modules.builtin"))
	for line := range strings.Lines(string(text)) {
		names[modprobe.ModuleName(strings.TrimSpace(line))] = true
	}
	return names
}

// InKernel reports whether the kernel itself has a module of the name of a build's file: its
// build lists one, or depmod found one elsewhere than where dkms installs this one.
func (s Snapshot) InKernel(f File) bool {
	base := kmod.TrimSuffix(f.Name)
	return s.Dep.builtIn(f.Dir, base) || slices.ContainsFunc(s.Dep.dirsOf(base), func(dir string) bool {
		return dir != f.Dir && dir != InstalledUnder
	})
}

// ofKernel reports whether an installed file is at the place of one of the kernel's own
// modules.
func (s *Snapshot) ofKernel(f File) bool {
	return strings.HasPrefix(f.Dir, "kernel/") && s.Dep.builtIn(f.Dir, kmod.TrimSuffix(f.Name))
}

// temps returns the temporary files of builds that are installed elsewhere than in
// InstalledUnder, as paths below the kernel's directory.
func (s *Snapshot) temps() []string {
	var found []string
	for _, b := range s.Builds {
		for _, f := range b.Files {
			if temp := nofollow.TempName(f.Name); f.Dir != "" && f.Dir != InstalledUnder && s.isIn(f.Dir, temp) {
				found = append(found, path.Join(f.Dir, temp))
			}
		}
	}
	return found
}
