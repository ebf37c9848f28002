package dkmsstate

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// archSymbol returns the kernel's configuration symbol for an architecture as `uname -m` names
// it, or "" for an architecture that is unknown here.
func archSymbol(arch string) string {
	switch {
	case arch == "x86_64":
		return "CONFIG_X86_64"
	case len(arch) == 4 && arch[0] == 'i' && strings.HasSuffix(arch, "86"):
		return "CONFIG_X86_32"
	case arch == "aarch64":
		return "CONFIG_ARM64"
	case strings.HasPrefix(arch, "arm"):
		return "CONFIG_ARM"
	case arch == "riscv64":
		return "CONFIG_RISCV"
	case arch == "s390x":
		return "CONFIG_S390"
	case arch == "loongarch64":
		return "CONFIG_LOONGARCH"
	case strings.HasPrefix(arch, "ppc64"):
		return "CONFIG_PPC64"
	}
	return ""
}

// findArch returns the architecture that a kernel's modules are built for, as dkms names it. It
// reports whether the kernel's configuration says so. `uname -m` is only the fallback: it is
// i686 under a 32-bit personality and armv8l for a 32-bit process, whatever the kernel is. had
// are the architectures of the builds and links of this kernel. Among names of one family (i586
// and i686) the one in use stays.
func (l Layout) findArch(kernel Release, uname string, had []string) (arch string, sure bool) {
	config := l.KernelConfig(kernel)
	is := func(arch string) bool {
		symbol := archSymbol(arch)
		return symbol != "" && bytes.Contains(config, []byte("\n"+symbol+"=y\n"))
	}
	for _, candidates := range [][]string{had, {uname}, {"x86_64", "i686", "aarch64", "armv7l", "riscv64", "s390x", "loongarch64"}} {
		if i := slices.IndexFunc(candidates, is); i >= 0 {
			return candidates[i], true
		}
	}
	if len(had) > 0 && !slices.Contains(had, uname) && len(slices.Compact(slices.Sorted(slices.Values(had)))) == 1 {
		return had[0], false
	}
	return uname, false
}

// KernelConfig returns the configuration of a kernel, from its headers or from beside its
// image, after a newline. It returns nil if there is none.
func (l Layout) KernelConfig(kernel Release) []byte {
	build := l.HeadersDir(kernel)
	for _, path := range []string{
		filepath.Join(build, "include/config/auto.conf"),
		filepath.Join(build, ".config"),
		l.ImageFile(kernel, "config"),
	} {
		if data, err := regular.ReadFile(path); err == nil && len(data) > 0 {
			return append([]byte("\n"), data...)
		}
	}
	return nil
}

// ImageFile returns the path of a file that belongs to the kernel's image: in /boot, or since
// Debian 14 in the directory of its modules.
func (l Layout) ImageFile(kernel Release, name string) string {
	if path := filepath.Join(l.KernelDir(kernel), name); Exists(path) {
		return path
	}
	return l.Path("/boot/" + name + "-" + string(kernel))
}
