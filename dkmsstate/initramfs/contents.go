package initramfs

import (
	"context"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
)

// Contents are the modules that an initramfs contains.
type Contents struct {
	Modules []Module
	// at is the index of each file in Modules, by its kernel and its path.
	at map[[2]string]int
}

// Module is the file of a module in an initramfs.
type Module struct {
	// Kernel is the release of the kernel in whose directory the file is.
	Kernel string `json:"-"`
	// Path is the path of the file below that directory.
	Path string `json:"path"`
	// Identity identifies the contents. It is zero for a module that was not asked for, and for a
	// file whose contents cannot be read.
	Identity kmod.Identity `json:"identity,omitzero"`
}

// Read returns the modules that an initramfs contains. A file is an archive or a unified kernel
// image; a boot loader loads several in a row. Read reads the contents of the modules for whose
// names wanted returns true; names are as lsmod(8) prints them. In case of an error it is not known
// what the initramfs contains.
func Read(ctx context.Context, wanted func(name string) bool, files ...string) (Contents, error) {
	var c Contents
	b := &bounds{ctx: ctx, left: maxBytes}
	for _, path := range files {
		if err := b.explain(c.readFile(b, path, wanted)); err != nil {
			return Contents{}, fmt.Errorf("cannot read the initramfs %s: %w", path, err)
		}
	}
	return c, nil
}

func (c *Contents) readFile(b *bounds, path string, wanted func(name string) bool) error {
	f, err := regular.Open(path)
	if err != nil {
		return regular.WithoutPath(err)
	}
	defer f.Close()
	archive, err := archiveOf(file{b, f})
	if archive == nil || err != nil {
		return err
	}
	return c.read(b, archive, wanted)
}

// archiveOf returns the archives in a file: those in the section .initrd of a unified kernel image
// (UAPI.5), nil without one; or the file itself.
func archiveOf(f file) (io.Reader, error) {
	start := make([]byte, 2)
	if _, err := f.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(start) != "MZ" {
		return f, nil
	}
	image, err := pe.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errImage, err)
	}
	section := image.Section(".initrd")
	if section == nil {
		return nil, nil
	}
	return io.NewSectionReader(section, 0, int64(min(section.VirtualSize, section.Size))), nil
}

// read adds the modules in archives. What is named like a module and is not a regular file is one
// whose contents cannot be read. Which modules are behind a link in place of a directory is not
// followed.
func (c *Contents) read(b *bounds, from io.Reader, wanted func(name string) bool) error {
	return b.eachFile(from, func(e entry, data io.Reader) error {
		m, ok := moduleOf(e.name)
		switch {
		case !ok && e.is(unix.S_IFLNK) && holdsModules(e.name):
			return errLink
		case !ok:
			return nil
		}
		if e.is(unix.S_IFREG) && wanted(m.Name()) && e.size > 0 {
			var err error
			if m.Identity, err = b.identify(data); err != nil {
				return err
			}
		}
		c.add(m)
		return nil
	})
}

// add adds a module. The kernel overwrites a file with a later one of the same name.
func (c *Contents) add(m Module) {
	key := [2]string{m.Kernel, m.Path}
	if i, there := c.at[key]; there {
		c.Modules[i] = m
		return
	}
	if c.at == nil {
		c.at = map[[2]string]int{}
	}
	c.at[key] = len(c.Modules)
	c.Modules = append(c.Modules, m)
}

// Name returns the name of the module, as lsmod(8) prints it.
func (m Module) Name() string { return modprobe.ModuleName(m.Path) }

// Named returns the files of a module for a kernel, by its name as lsmod(8) prints it.
func (c Contents) Named(kernel, name string) []Module {
	var found []Module
	for _, m := range c.Modules {
		if m.Kernel == kernel && m.Name() == name {
			found = append(found, m)
		}
	}
	return found
}

// moduleOf returns the module whose file has a name in an initramfs, and whether it is one.
func moduleOf(name string) (Module, bool) {
	rest, ok := strings.CutPrefix(inLib(name), "modules/")
	kernel, below, inKernel := strings.Cut(rest, "/")
	if !ok || !inKernel || kmod.TrimSuffix(path.Base(below)) == path.Base(below) {
		return Module{}, false
	}
	return Module{Kernel: kernel, Path: below}, true
}

// inLib returns a name below lib or usr/lib, which are the same, "" for any other.
func inLib(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	name, _ = strings.CutPrefix(name, "usr/")
	name, ok := strings.CutPrefix(name, "lib/")
	if !ok {
		return ""
	}
	return name
}

// holdsModules reports whether a name would be that of a directory in which modules are searched
// for. depmod(8) searches all but two; files of its own begin with "modules.".
func holdsModules(name string) bool {
	rest, ok := strings.CutPrefix(inLib(name)+"/", "modules/")
	_, below, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	return ok && below != "build" && below != "source" && !strings.HasPrefix(below, "modules.")
}
