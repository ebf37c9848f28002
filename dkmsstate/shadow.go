package dkmsstate

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
)

// Shadow is a file of an installed module that modprobe(8) does not load, since modules.dep names
// another file of the same module, or since depmod does not read it.
type Shadow struct {
	// Path is the path of the file below the directory of the kernel. By is that of
	// the file that is loaded in its place, which may be absolute, "" if there is none.
	Path, By string
	// Line is the line of depmod.d(5) for which depmod prefers By, or does not read Path. It is
	// not Known if there is no such line.
	Line modprobe.Line
	// Absent reports whether the file is not installed, and does not have to be, since the kernel
	// has a module of that name.
	Absent bool
	// Certain reports whether another depmod would have the same result: depmod.d(5) says so,
	// or depmod was run since. Otherwise modules.dep may be out of date.
	Certain bool
}

// Shadow returns the Shadow of an installed file, by its path below the directory of the kernel.
func (s Snapshot) Shadow(file string) (Shadow, bool) {
	i := slices.IndexFunc(s.Shadows, func(sh Shadow) bool { return sh.Path == file })
	if i < 0 {
		return Shadow{}, false
	}
	return s.Shadows[i], true
}

// ShadowsOf returns the shadows of a build's files.
func (s Snapshot) ShadowsOf(b Build) []Shadow {
	var found []Shadow
	for _, f := range b.Files {
		if sh, ok := s.Shadow(f.Path()); ok {
			found = append(found, sh)
		}
	}
	return found
}

// findShadows finds the installed files that modprobe does not load. The files of depmod have to
// be read before.
func (s *Snapshot) findShadows() {
	s.Shadows = nil
	named := s.Dep.Names()
	rules := sync.OnceValue(func() modprobe.Depmod { return modprobe.ReadDepmod(s.Layout.Root, string(s.Kernel)) })
	for _, b := range s.Builds {
		if !s.Linked(b) {
			continue
		}
		for _, f := range b.Files {
			if f.Copy == kmod.CopyMissing && !f.InKernel || named(f.Path()) {
				continue
			}
			if sh, ok := s.shadow(f, rules); ok {
				s.Shadows = append(s.Shadows, sh)
			}
		}
	}
}

// shadow returns the Shadow of an installed file that modules.dep does not name.
func (s *Snapshot) shadow(f File, rules func() modprobe.Depmod) (Shadow, bool) {
	sh := Shadow{Path: f.Path(), Certain: s.Dep.Accepted != ""}
	sh.By = s.loads(modprobe.ModuleName(sh.Path))
	if f.Copy == kmod.CopyMissing {
		sh.Absent, sh.Certain = true, true
		return sh, sh.By != ""
	}
	if sh.By == "" {
		line, excluded := rules().Excludes(sh.Path)
		sh.Line = line
		return sh, excluded
	}
	if path.Dir(sh.By) == path.Dir(sh.Path) && slices.Contains(f.OtherCompressions, path.Base(sh.By)) {
		return sh, false // a copy of the file, which is to be removed
	}
	first, second := s.inReadingOrder(sh.Path, sh.By)
	if taken, line := rules().Choose(first, second); taken == sh.By {
		sh.Line, sh.Certain = line, true
	}
	return sh, true
}

// loads returns the path of the file that modprobe loads for a module: that in modules.dep, if it
// exists and modules.dep.bin contains it too.
func (s *Snapshot) loads(module string) string {
	for file := range s.Dep.Paths {
		if modprobe.ModuleName(file) != module {
			continue
		}
		index, _ := regular.ReadFile(filepath.Join(s.Layout.KernelDir(s.Kernel), "modules.dep.bin"))
		if Exists(s.moduleFile(file)) && bytes.Contains(index, []byte(file+":")) {
			return file
		}
	}
	return ""
}

// MayHave reports whether the kernel may have a module of one of the names: it has one that is
// built in, or a file that modules.dep lists, or there is no modules.dep.
func (s Snapshot) MayHave(names ...string) bool {
	listed := false
	for file := range s.Dep.Paths {
		listed = true
		if named(file, names) && s.ModuleThere(file) {
			return true
		}
	}
	compiledIn := s.CompiledIn()
	return !listed || slices.ContainsFunc(names, func(name string) bool { return compiledIn[modprobe.ModuleName(name)] })
}

// named reports whether a module's file has one of the names.
func named(file string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return modprobe.ModuleName(name) == modprobe.ModuleName(file) })
}

// ModulePath returns the path of a file in modules.dep as seen from inside the root.
func (s Snapshot) ModulePath(file string) string {
	if path.IsAbs(file) {
		return file
	}
	return path.Join(s.Layout.Install, string(s.Kernel), file)
}

// ModuleThere reports whether the file exists that modules.dep has with a path.
func (s Snapshot) ModuleThere(file string) bool { return Exists(s.moduleFile(file)) }

// ModuleEmpty reports whether that file is empty.
func (s Snapshot) ModuleEmpty(file string) bool {
	info, err := os.Stat(s.moduleFile(file))
	return err == nil && info.Size() == 0
}

// moduleFile returns the path of a file in modules.dep outside the root.
func (s *Snapshot) moduleFile(file string) string {
	if path.IsAbs(file) {
		return s.Layout.Path(file)
	}
	return filepath.Join(s.Layout.KernelDir(s.Kernel), file)
}

// inReadingOrder returns two files in the order in which depmod reads them: that of the names in
// the directory in which their paths part, which is not sorted. Files outside the directory of
// the kernel come last.
func (s *Snapshot) inReadingOrder(a, b string) (first, second string) {
	switch {
	case path.IsAbs(a):
		return b, a
	case path.IsAbs(b):
		return a, b
	}
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	i := 0
	for i < min(len(as), len(bs))-1 && as[i] == bs[i] {
		i++
	}
	dir, err := os.OpenFile(filepath.Join(s.Layout.KernelDir(s.Kernel), filepath.Join(as[:i]...)), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return a, b
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	if slices.Index(names, as[i]) > slices.Index(names, bs[i]) {
		return b, a
	}
	return a, b
}
