package dkmsstate

import "slices"

// Link gives the kernel link of a module name on an architecture.
func (s Snapshot) Link(name, arch string) (Link, bool) {
	for _, l := range s.Links {
		if l.Name == name && l.Arch == arch {
			return l, true
		}
	}
	return Link{}, false
}

// Build gives the build of a module on an architecture.
func (s Snapshot) Build(m Module, arch string) (Build, bool) {
	for _, b := range s.Builds {
		if b.Module == m && b.Arch == arch {
			return b, true
		}
	}
	return Build{}, false
}

// Registration gives what is known of one module at one version.
func (s Snapshot) Registration(m Module) (Registration, bool) {
	for _, r := range s.Registrations {
		if r.Module == m {
			return r, true
		}
	}
	return Registration{}, false
}

func (s Snapshot) remains(m Module) bool {
	return slices.Contains(s.Remains, m)
}

// Whole says that a module's build is complete, installed as it was built, and the
// one that the kernel link names.
func (s Snapshot) Whole(m Module) bool {
	link, linked := s.Link(m.Name, s.Arch)
	b, _ := s.Build(m, s.Arch)
	return linked && link.Version == m.Version && b.Complete() && b.wrong() == ""
}

// Names gives the names of a build's modules, without .ko.
func (b Build) Names() []string {
	var names []string
	for _, f := range b.Files {
		names = append(names, trimKo(f.Name))
	}
	return names
}
