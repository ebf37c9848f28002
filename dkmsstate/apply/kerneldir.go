package apply

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// KernelDirLeftovers returns the contents of the directory of a kernel that is gone, as paths
// in it, if they are only what depmod writes and dkms installs. For such a directory dpkg
// printed "directory not empty so not removed". It returns nil if there is anything else, or if
// the directory itself must stay or does not exist.
func (t Tree) KernelDirLeftovers() []string {
	kernel, err := t.openKernel()
	if err != nil {
		return nil
	}
	defer kernel.Close()
	var g kernelDirSearch
	if t.kernelDirStays() || !g.look(kernel, ".") {
		return nil
	}
	slices.Reverse(g.dirs) // subdirectories first, the kernel's own directory last
	return append(g.files, g.dirs...)
}

// kernelDirSearch collects the result of KernelDirLeftovers.
type kernelDirSearch struct{ files, dirs []string }

// look adds a directory, and reports whether everything in it belongs to depmod or dkms.
func (g *kernelDirSearch) look(d *nofollow.Dir, at string) bool {
	names, err := d.Names()
	if err != nil {
		return false
	}
	g.dirs = append(g.dirs, at)
	for _, name := range names {
		rel := path.Join(at, name)
		st, err := d.Lstat(name)
		switch {
		case err != nil:
			return false
		case st.IsDir():
			sub, err := d.Sub(name)
			ok := err == nil && dirOfKernelDir(rel) && g.look(sub, rel)
			if err == nil {
				sub.Close()
			}
			if !ok {
				return false
			}
		case st.Is(unix.S_IFREG) && ofKernelDir(at, name):
			g.files = append(g.files, rel)
		default:
			return false
		}
	}
	return true
}

// dirOfKernelDir reports whether a directory of a kernel's directory is one in which depmod or dkms
// puts files, or one of the kernel's own modules, which dpkg keeps while dkms has one there.
func dirOfKernelDir(dir string) bool {
	return slices.Contains([]string{path.Dir(dkmsstate.InstalledUnder), dkmsstate.InstalledUnder, dkmsstate.DepmodBackup, "kernel"}, dir) ||
		strings.HasPrefix(dir, "kernel/")
}

// ofKernelDir reports whether a file of a kernel's directory was put there by depmod or dkms,
// or is a temporary file of an interrupted run of ours.
func ofKernelDir(at, name string) bool {
	switch at {
	case ".":
		_, temp := dkmsstate.DepmodTemp(name)
		return temp || slices.Contains(dkmsstate.DepmodFiles(), name)
	case dkmsstate.DepmodBackup:
		return slices.Contains(dkmsstate.DepmodFiles(), name)
	}
	return at == dkmsstate.InstalledUnder && (kmod.TrimSuffix(name) != name || dkmsstate.IsModuleTemp(name))
}

// kernelDirStays reports whether the directory of the kernel is a link that root created, or
// has a filesystem of its own. It then belongs to root, and stays with everything in it.
func (t Tree) kernelDirStays() bool {
	install, err := t.Layout.NoFollow().OpenDir(t.Layout.Install)
	if err != nil {
		return true
	}
	defer install.Close()
	here, err := install.Lstat(".")
	kernel, err2 := install.Lstat(string(t.Kernel))
	return err != nil || err2 != nil || !kernel.IsDir() || here.Dev != kernel.Dev
}

// RemoveKernelDir removes what KernelDirLeftovers lists.
func (t Tree) RemoveKernelDir() error {
	for _, name := range t.KernelDirLeftovers() {
		if err := t.removeModuleFile(path.Join(string(t.Kernel), name)); err != nil {
			return fmt.Errorf("cannot remove the leftovers of %s: %w", t.Kernel, err)
		}
	}
	return nil
}

// removeModuleFile removes a file or an empty directory, by its path in the module tree. It is
// not an error if it does not exist.
func (t Tree) removeModuleFile(name string) error {
	in, err := t.openModules(path.Dir(name))
	if err == nil {
		err = in.Remove(path.Base(name))
		in.Close()
	}
	if nofollow.IsNotExist(err) {
		return nil
	}
	return err
}

// openKernel opens the kernel's directory of the module tree.
func (t Tree) openKernel() (*nofollow.Dir, error) { return t.openModules(string(t.Kernel)) }
