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
