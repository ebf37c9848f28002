package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pault.ag/go/debian/version"
)

// Kernels gives every kernel release that the module tree, the DKMS tree or the
// record knows, those that are gone included, the newest first: that is the one which
// a boot loader starts next, unless somebody told it otherwise.
func (l Layout) Kernels() []Release {
	seen := map[Release]bool{}
	add := func(name string) {
		if kernel, err := ParseRelease(name); err == nil {
			seen[kernel] = true
		}
	}
	for _, name := range dirNames(l.Path(l.Install)) {
		add(name)
	}
	for _, module := range dirNames(l.tree()) {
		for _, sub := range dirNames(filepath.Join(l.tree(), module)) {
			for _, kernel := range dirNames(filepath.Join(l.tree(), module, sub)) {
				add(kernel)
				for _, prefix := range []string{asideName(""), spareName(""), oldName("")} {
					if gone, ok := strings.CutPrefix(kernel, prefix); ok {
						add(gone)
					}
				}
			}
		}
		links, _ := filepath.Glob(filepath.Join(l.tree(), module, "kernel-*-*"))
		for _, link := range links {
			name := strings.TrimPrefix(filepath.Base(link), "kernel-")
			add(name[:strings.LastIndexByte(name, '-')])
		}
	}
	for _, kernel := range l.AllPending() {
		add(string(kernel))
	}
	for kernel := range l.ReadRecord().Kernels {
		add(string(kernel))
	}
	owed, _ := filepath.Glob(filepath.Join(l.tree(), pendingPrefix+"*-*"))
	for _, path := range owed {
		name := strings.TrimPrefix(filepath.Base(path), pendingPrefix)
		add(name[:max(strings.LastIndexByte(name, '-'), 0)])
	}
	kernels := make([]Release, 0, len(seen))
	for kernel := range seen {
		kernels = append(kernels, kernel)
	}
	slices.SortFunc(kernels, func(a, b Release) int {
		if c := version.Compare(version.Version{Version: string(b)}, version.Version{Version: string(a)}); c != 0 {
			return c
		}
		return strings.Compare(string(b), string(a))
	})
	return kernels
}

// dirNames gives the names of the directories in a directory; what cannot be
// read has none.
func dirNames(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// ImageThere says that /boot has an image of the kernel.
func (l Layout) ImageThere(k Release) bool {
	return anyExists(l.Path("/boot"), "vmlinuz-"+string(k), "vmlinux-"+string(k))
}
