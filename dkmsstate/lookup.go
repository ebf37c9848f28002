package dkmsstate

import (
	"cmp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// Link returns the kernel link of a module name on an architecture.
func (s Snapshot) Link(name, arch string) (Link, bool) {
	for _, l := range s.linksOf(name) {
		if l.Arch == arch {
			return l, true
		}
	}
	return Link{}, false
}

// Build returns the build of a module on an architecture.
func (s Snapshot) Build(m Module, arch string) (Build, bool) {
	for _, b := range s.buildsOf(m.Name) {
		if b.Module == m && b.Arch == arch {
			return b, true
		}
	}
	return Build{}, false
}

// Registration returns what is known of one module at one version.
func (s Snapshot) Registration(m Module) (Registration, bool) {
	for _, r := range s.registrationsOf(m.Name) {
		if r.Module == m {
			return r, true
		}
	}
	return Registration{}, false
}

func (s Snapshot) buildsOf(name string) []Build {
	return of(s.Builds, name, func(b Build) string { return b.Module.Name })
}

func (s Snapshot) linksOf(name string) []Link {
	return of(s.Links, name, func(l Link) string { return l.Name })
}

func (s Snapshot) registrationsOf(name string) []Registration {
	return of(s.Registrations, name, func(r Registration) string { return r.Module.Name })
}

// of returns the part of a list, which is in the order of its names, that has one name.
func of[T any](list []T, name string, named func(T) string) []T {
	compare := func(t T, name string) int { return cmp.Compare(named(t), name) }
	from, _ := slices.BinarySearchFunc(list, name, compare)
	to := from
	for to < len(list) && named(list[to]) == name {
		to++
	}
	return list[from:to]
}

func (s Snapshot) hasLeftovers(m Module) bool {
	return slices.ContainsFunc(of(s.LeftoversOf, m.Name, func(m Module) string { return m.Name }), func(other Module) bool { return other == m })
}

// InOrder reports whether a module's build is complete, installed as it was built, and the
// one that the kernel link names.
func (s Snapshot) InOrder(m Module) bool {
	link, linked := s.Link(m.Name, s.Arch)
	b, _ := s.Build(m, s.Arch)
	return linked && link.Version == m.Version && b.Complete() && b.wrong() == ""
}

// Installed reports whether a module, NAME or NAME/VERSION, is installed and whole.
func (s Snapshot) Installed(module string) bool {
	name, version, _ := strings.Cut(module, "/")
	link, linked := s.Link(name, s.Arch)
	return linked && (version == "" || version == link.Version) && s.InOrder(Module{name, link.Version})
}

// Names returns the names of a build's modules, without .ko.
func (b Build) Names() []string {
	var names []string
	for _, f := range b.Files {
		names = append(names, kmod.TrimSuffix(f.Name))
	}
	return names
}
