package dkmsstate

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/vmlinuz"

	"pault.ag/go/debian/version"
)

// Kernels returns every kernel release in the module tree, the DKMS tree, the notes of
// unfinished work and the record, including kernels that are gone. The newest comes first. A
// boot loader starts that one next, unless it is configured otherwise.
func (sv *Survey) Kernels(record Record) []Release {
	l := sv.layout
	names := l.kernelNames()
	for _, module := range sv.modules {
		names = append(names, module.archived...)
		for _, version := range module.versions {
			for _, dir := range version.dirs {
				names = append(names, dir)
				for _, prefix := range []string{TrashName(""), BackupName(""), PreviousName("")} {
					if gone, ok := strings.CutPrefix(dir, prefix); ok {
						names = append(names, gone)
					}
				}
			}
		}
		for _, link := range module.links {
			names = append(names, beforeLastDash(strings.TrimPrefix(link, "kernel-")))
		}
	}
	for _, note := range sv.notes {
		if name, ok := strings.CutPrefix(note, depmodPendingPrefix); ok {
			names = append(names, beforeLastDash(name))
		}
	}
	for _, kernel := range l.AllUnfinished() {
		names = append(names, string(kernel))
	}
	for kernel := range record.Kernels {
		names = append(names, string(kernel))
	}
	return newestFirst(names)
}

// InstalledKernels returns the kernel releases that have a directory in the module tree, the
// newest first.
func (l Layout) InstalledKernels() []Release { return newestFirst(l.kernelNames()) }

func beforeLastDash(name string) string { return name[:max(strings.LastIndexByte(name, '-'), 0)] }

// newestFirst returns the valid kernel releases among names without duplicates, the newest
// first.
func newestFirst(names []string) []Release {
	slices.Sort(names)
	var kernels []Release
	for _, name := range slices.Compact(names) {
		if kernel, err := ParseRelease(name); err == nil {
			kernels = append(kernels, kernel)
		}
	}
	slices.SortFunc(kernels, func(a, b Release) int {
		if c := version.Compare(version.Version{Version: string(b)}, version.Version{Version: string(a)}); c != 0 {
			return c
		}
		return strings.Compare(string(b), string(a))
	})
	return kernels
}

// Images returns the paths that the image of a kernel may have in /boot.
func (l Layout) Images(k Release) []string {
	var paths []string
	for _, path := range vmlinuz.Paths(string(k)) {
		paths = append(paths, l.Path(path))
	}
	return paths
}

// ImageThere reports whether the kernel has an image from which it can be started: in /boot
// under one of the names that architectures use, or where kernel-install(8) puts it.
func (l Layout) ImageThere(k Release) bool {
	if slices.ContainsFunc(l.Images(k), Exists) {
		return true
	}
	named := namesRelease(k)
	for _, esp := range []string{"/boot", "/boot/efi", "/efi"} {
		found, _ := filepath.Glob(l.Path(esp + "/*/" + string(k) + "/linux"))
		unified, _ := filepath.Glob(l.Path(esp + "/EFI/Linux/*" + string(k) + "*.efi"))
		if len(found) > 0 || slices.ContainsFunc(unified, named) {
			return true
		}
	}
	return false
}

// namesRelease returns a function that reports whether the name of a unified image contains a release,
// and not only as the beginning or the end of another one: TOKEN-KVER.efi, TOKEN-KVER+TRIES.efi
// (kernel-install(8)), or linux-KVER-MACHINE.efi (dracut(8)).
func namesRelease(k Release) func(path string) bool {
	name := regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(string(k)) + `([-+].*|\.[A-Za-z].*)?\.efi$`)
	return func(path string) bool { return name.MatchString(filepath.Base(path)) }
}

// kernelNames returns the names of the directories in the module tree.
func (l Layout) kernelNames() []string {
	entries, _ := os.ReadDir(l.NoFollow().Inside(l.Install))
	var names []string
	for _, entry := range entries {
		if l.NoFollow().IsSubdir(l.Install, entry) {
			names = append(names, entry.Name())
		}
	}
	return names
}
