package bootloader

import (
	"path"
	"slices"
	"strings"
)

// initrdOf returns the files that the commands initrd of an entry load, and whether they are known.
func initrdOf(loads []grubLoad) (files []string, known bool) {
	for _, load := range loads {
		if !load.certain || len(files) > 0 { // a second command replaces what the first one loaded
			return nil, false
		}
		for _, arg := range load.args {
			_, name, device := strings.Cut(arg.text, ")")
			if !device || !strings.HasPrefix(arg.text, "(") {
				name = arg.text
			}
			if !arg.known || !path.IsAbs(name) { // newc:NAME:FILE puts a file below another name
				return nil, false
			}
			files = append(files, name)
		}
	}
	return files, true
}

// initrdKnown reports whether the entry has the names of the files of its initramfs, and not
// variables of a boot loader.
func (e blsEntry) initrdKnown() bool {
	return !slices.ContainsFunc(e.initrd, func(name string) bool { return strings.Contains(name, "$") })
}

// initrdFiles returns the paths, inside the root, of files that a boot loader loads from the
// filesystem that is mounted at dir, and whether all of them were found. A file with several
// possible paths counts as not found: see imageRelease.
func (m Machine) initrdFiles(names []string, dir string) ([]string, bool) {
	var files []string
	for _, name := range names {
		name = path.Clean("/" + name)
		found := m.existing(path.Join(dir, name), name, path.Join("/boot", path.Base(name)))
		if len(found) != 1 {
			return nil, false
		}
		files = append(files, found[0])
	}
	return files, true
}

// ownInitrd sets the initramfs of a choice to that which Debian's tools make for the kernel.
func (m Machine) ownInitrd(c Choice) Choice {
	c.Initrd, c.InitrdKnown = m.existing("/boot/initrd.img-"+string(c.Kernel)), true
	return c
}
