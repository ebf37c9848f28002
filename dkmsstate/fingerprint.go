package dkmsstate

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Inputs identifies what a build of a module, NAME/VERSION, starts from: the kernel's headers,
// the module's source with its dkms.conf, and the sources of the modules that it needs. They
// are compared by size and times. While the result is the same, a build that the compiler
// refused would be refused again.
//
// The result consists of that of the headers and that of the sources.
//
// For a module whose last attempt ended in trouble, fresh.Examine has already computed it.
func (s Snapshot) Inputs(module string) string {
	if known, found := s.inputs[module]; found {
		return known
	}
	return s.readInputs(module)
}

// FindInputs computes the inputs of the modules whose last attempt ended in trouble.
func (s *Snapshot) FindInputs(rec KernelRecord) {
	s.inputs = map[string]string{}
	for module, last := range rec.Last {
		if last.trouble() {
			s.inputs[module] = s.readInputs(module)
		}
	}
}

// Recurs reports whether another attempt for a module would start from what its last one started
// from.
func (s Snapshot) Recurs(module string, last Last) bool {
	if last.Result == LastSkipped {
		return s.skipsAgain(module, last)
	}
	return last.Inputs == s.Inputs(module)
}

func (s Snapshot) readInputs(module string) string {
	var sum stamp
	var names []string
	for _, r := range s.Registrations {
		if r.Module.String() == module {
			names = append(slices.Clone(r.Conf.Depends), r.Module.Name)
		}
	}
	for _, name := range names {
		for _, r := range s.RegistrationsOf(name) {
			sum.addSource(s, r)
		}
	}
	return s.Layout.headersSum(s.Kernel) + "-" + sum.sum()
}

// headersSum identifies the headers of a kernel, by size and times.
func (l Layout) headersSum(kernel Release) string {
	var sum stamp
	build := l.HeadersDir(kernel)
	for _, name := range []string{"", "include", "Makefile", "Module.symvers", "include/config/auto.conf"} {
		sum.addFile(filepath.Join(build, name))
	}
	return sum.sum()
}

// HeadersCame reports whether a module waits for the headers of the kernel, and they are other
// ones than when that was recorded.
func (k KernelRecord) HeadersCame(layout Layout, kernel Release) bool {
	if !AnyExists(layout.HeadersDir(kernel), "include") {
		return false
	}
	now := layout.headersSum(kernel)
	for _, last := range k.Last {
		if before, _, _ := strings.Cut(last.Inputs, "-"); last.Result == LastWaiting && before != now {
			return true
		}
	}
	return false
}

// Compiler identifies the compilers of the system, by size and times. The headers of a kernel may ask
// for one of another name than gcc, such as gcc-14 or x86_64-linux-gnu-gcc-14 (those of Debian do).
func (l Layout) Compiler() string {
	compiler := regexp.MustCompile(`^([a-z0-9_]+-)*(gcc|cc|clang)(-[0-9.]+)?$`)
	entries, _ := os.ReadDir(l.Path("/usr/bin"))
	var paths []string
	for _, entry := range entries {
		if compiler.MatchString(entry.Name()) {
			paths = append(paths, l.Path("/usr/bin/"+entry.Name()))
		}
	}
	return StampFiles(paths...)
}

// maxSources bounds how many files of a source are looked at. The largest known source, ZFS,
// has some three thousand.
const maxSources = 20000

// addSource adds every file of the source of a module that is registered in a snapshot, and its
// overrides for the kernel. The directories are not enough: an edited file does not change them.
func (s *stamp) addSource(in Snapshot, r Registration) {
	s.state = append(s.state, r.Module.String()+" "+r.Source+"\n"...)
	for _, override := range overrideFiles(r.Module, in.Kernel, in.Arch) {
		s.addFile(in.Layout.Path(filepath.Join(overridesDir, override)))
	}
	if in.Layout.WalkSource(r.Module, func(path string, _ fs.DirEntry) { s.addFile(path) }) != nil {
		s.addFile(in.Layout.sourceLink(r.Module))
	}
}

// sourceLink returns the path of the link that registers a module, resolved inside the root.
func (l Layout) sourceLink(m Module) string { return l.inRoot(l.RegistrationLink(m)) }

// WalkSource calls visit for everything in the source of a registered module. The error means
// that there is no source.
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
