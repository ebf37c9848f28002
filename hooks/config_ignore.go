package hooks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
)

// Unwanted is an entry of the field Ignore: MODULE[/VERSION][@KERNEL]. Kernel is a shell
// pattern (path.Match).
type Unwanted struct{ Module, Version, Kernel string }

// on reports whether the entry is about a kernel.
func (u Unwanted) on(kernel dkmsstate.Release) bool {
	match, _ := path.Match(u.Kernel, string(kernel))
	return match
}

// names reports whether the entry is about a version of a module.
func (u Unwanted) names(m dkmsstate.Module) bool {
	return u.Module == m.Name && (u.Version == "" || u.Version == m.Version)
}

// String returns the entry as it is written in the field.
func (u Unwanted) String() string {
	entry := u.Module
	if u.Version != "" {
		entry += "/" + u.Version
	}
	if u.Kernel != "*" {
		entry += "@" + u.Kernel
	}
	return entry
}

func parseUnwanted(entry string) (Unwanted, error) {
	module, kernel, onKernel := strings.Cut(entry, "@")
	name, version, _ := strings.Cut(module, "/")
	if !onKernel {
		kernel = "*"
	}
	if _, err := path.Match(kernel, ""); err != nil || name == "" || kernel == "" || strings.Contains(version, "/") {
		return Unwanted{}, fmt.Errorf("an entry of Ignore must be MODULE[/VERSION][@KERNEL-PATTERN], not %q", entry)
	}
	return Unwanted{name, version, kernel}, nil
}

// ignoresName reports whether the administrator wants no version of a module on the kernel.
func (c Config) ignoresName(kernel dkmsstate.Release, name string) bool {
	return slices.ContainsFunc(c.Ignore, func(u Unwanted) bool {
		return u.on(kernel) && u.Module == name && u.Version == ""
	})
}

// ignoredEverywhere reports whether the administrator does not want a module on any kernel.
func (c Config) ignoredEverywhere(m dkmsstate.Module) bool {
	return slices.ContainsFunc(c.Ignore, func(u Unwanted) bool {
		return u.Kernel == "*" && u.names(m)
	})
}

// excuses reports whether a module need not be on the kernel although it is required: the
// configuration ignores it there, or no registered version is meant for the kernel.
func (c Config) excuses(s dkmsstate.Snapshot, name string, excluded func(dkmsstate.Registration) bool) bool {
	if c.ignoresName(s.Kernel, name) {
		return true
	}
	registered := s.RegistrationsOf(name)
	for _, r := range registered {
		if !c.ignored(s.Kernel)(r.Module) && !excluded(r) {
			return false
		}
	}
	return len(registered) > 0
}

// ignored returns a function that reports whether the administrator does not want a module on
// the kernel.
func (c Config) ignored(kernel dkmsstate.Release) func(dkmsstate.Module) bool {
	return func(m dkmsstate.Module) bool {
		return slices.ContainsFunc(c.Ignore, func(u Unwanted) bool {
			return u.on(kernel) && u.names(m)
		})
	}
}
