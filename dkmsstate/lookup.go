package dkmsstate

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// Names returns the names of all registered and all linked modules, sorted.
func (s Snapshot) Names() []string {
	seen := map[string]bool{}
	for _, r := range s.Registrations {
		seen[r.Module.Name] = true
	}
	for _, l := range s.Links {
		seen[l.Name] = true
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// versionLess orders two module versions like VER in dkms: every number is padded to three
// digits, then the texts are compared.
func versionLess(a, b string) bool { return padded(a) < padded(b) }

func padded(version string) string {
	var out, digits strings.Builder
	flush := func() {
		if n := digits.Len(); n > 0 && n < 3 {
			out.WriteString(strings.Repeat("0", 3-n))
		}
		out.WriteString(digits.String())
		digits.Reset()
	}
	for _, r := range version {
		if r >= '0' && r <= '9' {
			digits.WriteRune(r)
			continue
		}
		flush()
		out.WriteRune(r)
	}
	flush()
	return out.String()
}

// Link returns the kernel link of a module name on an architecture.
func (s Snapshot) Link(name, arch string) (Link, bool) {
	for _, l := range s.LinksOf(name) {
		if l.Arch == arch {
			return l, true
		}
	}
	return Link{}, false
}

// Build returns the build of a module on an architecture.
func (s Snapshot) Build(m Module, arch string) (Build, bool) {
	for _, b := range s.BuildsOf(m.Name) {
		if b.Module == m && b.Arch == arch {
			return b, true
		}
	}
	return Build{}, false
}

// Registration returns the registration of a module at one version.
func (s Snapshot) Registration(m Module) (Registration, bool) {
	for _, r := range s.RegistrationsOf(m.Name) {
		if r.Module == m {
			return r, true
		}
	}
	return Registration{}, false
}

func (s Snapshot) BuildsOf(name string) []Build {
	return of(s.Builds, name, func(b Build) string { return b.Module.Name })
}

func (s Snapshot) LinksOf(name string) []Link {
	return of(s.Links, name, func(l Link) string { return l.Name })
}

func (s Snapshot) RegistrationsOf(name string) []Registration {
	return of(s.Registrations, name, func(r Registration) string { return r.Module.Name })
}

// of returns the elements of list that have the given name. list is sorted by name.
func of[T any](list []T, name string, named func(T) string) []T {
	compare := func(t T, name string) int { return cmp.Compare(named(t), name) }
	from, _ := slices.BinarySearchFunc(list, name, compare)
	to := from
	for to < len(list) && named(list[to]) == name {
		to++
	}
	return list[from:to]
}

func (s Snapshot) HasLeftovers(m Module) bool {
	return slices.ContainsFunc(of(s.LeftoversOf, m.Name, func(m Module) string { return m.Name }), func(other Module) bool { return other == m })
}

// InOrder reports whether a module's build is complete, is named by the kernel link, and has no
// Problem with its installed files.
func (s Snapshot) InOrder(m Module) bool {
	link, linked := s.Link(m.Name, s.Arch)
	b, _ := s.Build(m, s.Arch)
	return linked && link.Version == m.Version && b.Complete() && b.Problem() == ""
}

// Linked reports whether a kernel link names a build.
func (s Snapshot) Linked(b Build) bool {
	link, linked := s.Link(b.Module.Name, b.Arch)
	return linked && link.Version == b.Module.Version
}

// Installed reports whether a module, NAME or NAME/VERSION, is installed and in order.
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

// Latest returns the latest version of a module that dkms can build.
func (s Snapshot) Latest(name string) Registration {
	var latest Registration
	for _, r := range s.RegistrationsOf(name) {
		if r.Broken == nil && (latest.Module == (Module{}) || versionLess(latest.Module.Version, r.Module.Version)) {
			latest = r
		}
	}
	return latest
}

// Foreign returns the names, without .ko, of those files of a module's build in whose place
// files of another module are installed.
func (s Snapshot) Foreign(m Module, arch string) []string {
	b, _ := s.Build(m, arch)
	var names []string
	for _, f := range b.Files {
		if f.Copy == CopyForeign {
			names = append(names, kmod.TrimSuffix(f.Name))
		}
	}
	return names
}
