package initramfs

import (
	"context"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

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
	for _, file := range files {
		if err := c.readFile(ctx, file, wanted); err != nil {
			return Contents{}, fmt.Errorf("cannot read the initramfs %s: %w", file, err)
		}
	}
	return c, nil
}

func (c *Contents) readFile(ctx context.Context, file string, wanted func(name string) bool) error {
	f, err := regular.Open(file)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	if err != nil {
		return err
	}
	defer f.Close()
	archive, err := archiveOf(f)
	if archive == nil || err != nil {
		return err
	}
	return c.read(ctx, archive, wanted)
}

// archiveOf returns the archives in a file: those in the section .initrd of a unified kernel image
// (UAPI.5), nil without one; or the file itself.
func archiveOf(file *os.File) (io.Reader, error) {
	start := make([]byte, 2)
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(start) != "MZ" {
		return file, nil
	}
	image, err := pe.NewFile(file)
	if err != nil {
		return nil, fmt.Errorf("it is not a unified kernel image: %w", err)
	}
	section := image.Section(".initrd")
	if section == nil {
		return nil, nil
	}
	return io.NewSectionReader(section, 0, int64(min(section.VirtualSize, section.Size))), nil
}

// read adds the modules in archives.
func (c *Contents) read(ctx context.Context, from io.Reader, wanted func(name string) bool) error {
	return eachFile(ctx, from, func(e entry, data io.Reader) error {
		m, ok := moduleOf(e.name)
		if !ok || !e.regular() {
			return nil
		}
		if wanted(m.Name()) && e.size > 0 {
			var err error
			if m.Identity, err = identify(ctx, data, e.size); err != nil {
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
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "usr/"), "lib/modules/")
	kernel, file, below := strings.Cut(rest, "/")
	if !ok || !below || kmod.TrimSuffix(path.Base(file)) == path.Base(file) {
		return Module{}, false
	}
	return Module{Kernel: kernel, Path: file}, true
}
