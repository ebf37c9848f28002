package bootloader

import (
	"path"
	"slices"
	"strings"
)

// initrdOf returns the files that the commands initrd of an entry load, and whether they are known:
// they are on the filesystem of the kernel.
func initrdOf(loads []grubLoad, kernel grubLoad) (files []string, known bool) {
	device := ""
	for _, arg := range kernel.args {
		if device, _ = splitDevice(arg.text); !strings.HasPrefix(arg.text, "--") {
			break
		}
	}
	for _, load := range loads {
		if !load.certain || len(files) > 0 || load.roots != kernel.roots { // a second command replaces what the first one loaded
			return nil, false
		}
		for _, arg := range load.args {
			its, name := splitDevice(arg.text)
			if !arg.known || its != device || !path.IsAbs(name) { // newc:NAME:FILE puts a file below another name
				return nil, false
			}
			files = append(files, name)
		}
	}
	return files, true
}

// splitDevice returns the device in a name of GRUB, "(hd0,gpt2)/NAME", "" without one, and the name.
func splitDevice(text string) (device, name string) {
	if device, name, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(device, "(") {
		return device, name
	}
	return "", text
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
