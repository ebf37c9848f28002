package dkmsstate

import (
	"io/fs"
	"path/filepath"
	"slices"
)

// Inputs names what a build of a module, NAME/VERSION, starts from: the kernel's headers
// and the module's source with its dkms.conf, known by size and times, and
// that of the modules that it needs. While the name stays the same, a build that the
// compiler refused is refused again.
//
// Of what ended in trouble when it was last tried, Examine has found it.
func (s Snapshot) Inputs(module string) string {
	if known, found := s.inputs[module]; found {
		return known
	}
	return s.readInputs(module)
}

// FindInputs finds the inputs of modules whose last attempt ended in trouble.
func (s *Snapshot) FindInputs(rec KernelRecord) {
	s.inputs = map[string]string{}
	for module, last := range rec.Last {
		if last.trouble() {
			s.inputs[module] = s.readInputs(module)
		}
	}
}

func (s Snapshot) readInputs(module string) string {
	var sum stamp
	build := s.Layout.HeadersDir(s.Kernel)
	for _, name := range []string{"", "include", "Makefile", "Module.symvers", "include/config/auto.conf"} {
		sum.addFile(filepath.Join(build, name))
	}
	var names []string
	for _, r := range s.Registrations {
		if r.Module.String() == module {
			names = append(slices.Clone(r.Conf.Depends), r.Module.Name)
		}
	}
	for _, name := range names {
		for _, r := range s.RegistrationsOf(name) {
			sum.addSource(s.Layout, r)
		}
	}
	return sum.sum()
}

// Compiler names the compilers of the system, known by size and times.
func (l Layout) Compiler() string {
	return StampFiles(l.Path("/usr/bin/gcc"), l.Path("/usr/bin/cc"), l.Path("/usr/bin/clang"))
}

// maxSources bounds how many files of a source are looked at; the largest known, ZFS, has
// some three thousand.
const maxSources = 20000

// addSource adds the source of a registered module, each file of it: one that an
// administrator corrects changes no directory.
func (s *stamp) addSource(l Layout, r Registration) {
	s.state = append(s.state, r.Module.String()+" "+r.Source+"\n"...)
	overrides, _ := filepath.Glob(l.Path("/etc/dkms/" + r.Module.Name + "*.conf"))
	for _, override := range overrides {
		s.addFile(override)
	}
	if l.WalkSource(r.Module, func(path string, _ fs.DirEntry) { s.addFile(path) }) != nil {
		s.addFile(l.sourceLink(r.Module))
	}
}

// sourceLink is the link that registers a module.
func (l Layout) sourceLink(m Module) string {
	return l.inRoot(filepath.Join(l.VersionDir(m), "source"))
}

// WalkSource visits what is in the source of a registered module, and below. An error says
// that there is none.
func (l Layout) WalkSource(m Module, visit func(path string, d fs.DirEntry)) error {
	real, err := filepath.EvalSymlinks(l.sourceLink(m))
	if err != nil {
		return err
	}
	left := maxSources
	return filepath.WalkDir(real, func(path string, d fs.DirEntry, _ error) error {
		if left--; left < 0 {
			return fs.SkipAll
		}
		visit(path, d)
		return nil
	})
}
