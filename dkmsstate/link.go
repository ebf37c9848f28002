package dkmsstate

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Link is MODULE/kernel-KVER-ARCH of the DKMS tree. It names the version of a module that is
// installed on a kernel.
type Link struct {
	Name, Arch string
	// Target is the target of the link.
	Target string
	// Version is the version in the target. It is "" if the target is not a build for the
	// link's own kernel and architecture.
	Version string
}

// NewLink parses the target of a link: VERSION/KVER/ARCH, alone or at the end of an absolute
// path (old versions of dkms).
func NewLink(name, arch, target string, kernel Release) Link {
	l := Link{Name: name, Arch: arch, Target: target}
	parts := strings.Split(path.Clean(target), "/")
	n := len(parts)
	if n < 3 || parts[n-1] != arch || parts[n-2] != string(kernel) || checkName(parts[n-3]) != nil {
		return l
	}
	if n == 3 || path.IsAbs(target) && parts[n-4] == name {
		l.Version = parts[n-3]
	}
	return l
}

// LinkNames reports whether the kernel link of a module, as it is on the disk now, names its version.
func (l Layout) LinkNames(m Module, kernel Release, arch string) bool {
	return l.LinkedVersion(m.Name, kernel, arch) == m.Version
}

// LinkedVersion returns the version that the kernel link of a module names on the disk now, "" if
// there is no link or if it names none.
func (l Layout) LinkedVersion(name string, kernel Release, arch string) string {
	target, err := os.Readlink(filepath.Join(l.ModuleDir(name), LinkName(kernel, arch)))
	if err != nil {
		return ""
	}
	return NewLink(name, arch, target, kernel).Version
}

// LinkTarget returns the target that dkms gives a kernel link.
func LinkTarget(m Module, kernel Release, arch string) string {
	return path.Join(m.Version, string(kernel), arch)
}

// LinkName returns the base name of a kernel link in MODULE/.
func LinkName(kernel Release, arch string) string {
	return "kernel-" + string(kernel) + "-" + arch
}
