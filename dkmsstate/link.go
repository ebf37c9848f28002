package dkmsstate

import (
	"path"
	"strings"
)

// Link is MODULE/kernel-KVER-ARCH of the DKMS tree, which says which version of
// a module is installed on a kernel.
type Link struct {
	Name, Arch string
	// Target is what the link says.
	Target string
	// Version is the version that it names, "" when it does not name a build of
	// its own kernel and architecture.
	Version string
}

// NewLink reads a link's target: VERSION/KVER/ARCH, by itself or as the end of
// an absolute path (old versions of dkms).
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

// LinkTarget is what dkms writes into a kernel link.
func LinkTarget(m Module, kernel Release, arch string) string {
	return path.Join(m.Version, string(kernel), arch)
}

// LinkName is the link's base name in MODULE/.
func LinkName(kernel Release, arch string) string {
	return "kernel-" + string(kernel) + "-" + arch
}
