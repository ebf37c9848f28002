package apply

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
)

// Tree changes the DKMS tree and a kernel's install directory without dkms. Below the top of
// either it follows only symbolic links that root created, and none in what it removes. It
// never touches MODULE/VERSION/source.
//
// Each change is ordered so that every prefix of it is a state that the next run recognises and
// finishes: first the installed files, then the kernel link, then the build, which is renamed
// before it is removed.
type Tree struct {
	Layout dkmsstate.Layout
	Kernel dkmsstate.Release
	// Backup reports whether a removal keeps the builds, until RestoreBackups or
	// DiscardBackups.
	Backup bool
}

// Unbuild removes what a module has on the kernel: the installed files that are its own, and
// kernel links and builds of every architecture. It first checks that all places are writable,
// and changes nothing if one is not.
func (t Tree) Unbuild(m dkmsstate.Module) error {
	s := t.Layout.ModuleSnapshot(t.Kernel, m.Name)
	version, err := t.openVersion(m)
	_, notLink := os.Readlink(filepath.Join(t.Layout.TreePath(), m.Name))
	if nofollow.IsNotExist(err) && notLink != nil { // dkms remove took the builds away, in a script of the module or by hand
		return t.removeLinks(s, m)
	}
	if err != nil {
		return err
	}
	defer version.Close()
	if err := t.writable(s, m); err != nil {
		return err
	}
	if err := t.discardOriginals(m.Name); err != nil {
		return err
	}
	if err := t.removeInstalled(s, m); err != nil {
		return err
	}
	if err := t.putBackOriginals(m, s); err != nil {
		return err
	}
	if err := t.removeLinks(s, m); err != nil {
		return err
	}
	return t.removeBuilds(version)
}

// removeLinks removes the kernel links that name a version.
func (t Tree) removeLinks(s dkmsstate.Snapshot, m dkmsstate.Module) error {
	for _, l := range s.Links {
		if l.Name == m.Name && l.Version == m.Version {
			if err := t.removeLink(m.Name, l.Arch); err != nil {
				return err
			}
		}
	}
	return nil
}

// writable returns an error for a read-only filesystem, before the first file is removed.
func (t Tree) writable(s dkmsstate.Snapshot, m dkmsstate.Module) error {
	dirs := []string{t.Layout.VersionDir(m), t.Layout.KernelDir(t.Kernel)}
	for _, dir := range s.InstallDirs() {
		dirs = append(dirs, t.Layout.PlaceDir(t.Kernel, dir))
	}
	for _, dir := range dirs {
		err := unix.Access(dir, unix.W_OK)
		if err != nil && !nofollow.IsNotExist(err) && !errors.Is(err, unix.ENOSYS) {
			return fmt.Errorf("cannot write to %s, nothing was removed: %w", dir, err)
		}
	}
	return nil
}

// removeInstalled removes the copies of a module's files: all of them if the kernel link names
// this version, and those that equal a built file if there is no link. It also removes the
// temporary file of a killed installation.
func (t Tree) removeInstalled(s dkmsstate.Snapshot, m dkmsstate.Module) error {
	for _, b := range s.Builds {
		if b.Module != m {
			continue
		}
		link, linked := s.Link(m.Name, b.Arch)
		for _, f := range b.Files {
			names := []string{nofollow.TempName(f.Name)}
			switch {
			case linked && link.Version == m.Version:
				names = append(names, copies(f)...)
			case !linked && f.Copy == kmod.CopySame:
				names = append(names, f.Name)
			}
			if err := t.removeFrom(f.Dir, names); err != nil {
				return err
			}
		}
	}
	return nil
}

// copies returns the names that the copies of a file may have. Outside the directory in which
// only dkms installs, a name that no copy was found under may be of somebody else's module.
func copies(f dkmsstate.File) []string {
	switch {
	case f.Dir == dkmsstate.InstalledUnder:
		return kmod.FileNames(kmod.TrimSuffix(f.Name))
	case f.Copy == kmod.CopyMissing:
		return nil
	}
	return append([]string{f.Installed}, f.OtherCompressions...)
}

// removeFrom removes files of a directory below that of the kernel, "" for none.
func (t Tree) removeFrom(dir string, names []string) error {
	if dir == "" {
		return nil
	}
	in, err := t.openModules(filepath.Join(string(t.Kernel), dir))
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	for _, name := range names {
		if err := in.Remove(name); err != nil && !nofollow.IsNotExist(err) {
			return fmt.Errorf("cannot remove the installed module: %w", err)
		}
	}
	return nil
}

// openModules opens a directory of the module tree, by its path in the tree.
func (t Tree) openModules(path string) (*nofollow.Dir, error) {
	install, err := t.Layout.NoFollow().OpenDir(t.Layout.Install)
	if err != nil {
		return nil, fmt.Errorf("cannot open the module tree: %w", err)
	}
	defer install.Close()
	return install.Descend(strings.Split(path, "/")...)
}

// openTree opens a directory of the DKMS tree.
func (t Tree) openTree(names ...string) (*nofollow.Dir, error) {
	tree, err := t.Layout.NoFollow().OpenDir(t.Layout.DKMSTree)
	if err != nil {
		return nil, fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	return tree.Descend(names...)
}

// removeBuilds removes MODULE/VERSION/KVER, after renaming it, and what an interrupted removal
// left.
func (t Tree) removeBuilds(version *nofollow.Dir) error {
	if err := version.RemoveAll(dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove the leftovers of an earlier run: %w", err)
	}
	if t.Backup {
		if done, err := t.makeBackup(version); done || err != nil {
			return err
		}
	} else if err := t.discardBackup(version); err != nil {
		return err
	}
	if err := version.RemoveTree(string(t.Kernel), dkmsstate.TrashName(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove the build: %w", err)
	}
	return nil
}

// clearBuild removes MODULE/VERSION/KVER/ARCH if it contains no build.
func (t Tree) clearBuild(m dkmsstate.Module, arch string) error {
	if t.build(m, arch).Complete() {
		return fmt.Errorf("cannot clear the build directory of %s: it contains a build", m)
	}
	return t.removeBuildDir(m, arch, "cannot clear the build directory")
}

// removeBuildDir removes MODULE/VERSION/KVER/ARCH. failure begins the error if that fails.
func (t Tree) removeBuildDir(m dkmsstate.Module, arch, failure string) error {
	kernel, err := t.openTree(m.Name, m.Version, string(t.Kernel))
	if err != nil {
		return err
	}
	defer kernel.Close()
	if err := kernel.RemoveAll(arch); err != nil {
		return fmt.Errorf("%s: %w", failure, err)
	}
	return nil
}

// RemoveEmptyDirs removes directories below that of the kernel, and the directories above them
// up to the kernel's own, as long as they are empty. The stock hooks do the same.
func (t Tree) RemoveEmptyDirs(dirs []string) {
	for _, dir := range dirs {
		t.removeEmpty(filepath.Join(string(t.Kernel), dir))
	}
}

// removeEmpty removes an empty directory of the module tree, and those above it.
func (t Tree) removeEmpty(path string) {
	for ; path != "."; path = filepath.Dir(path) {
		in, err := t.openModules(filepath.Dir(path))
		if err != nil {
			continue
		}
		st, err := in.Lstat(filepath.Base(path))
		stays := err == nil && (!st.IsDir() || in.Remove(filepath.Base(path)) != nil) // a link, or not empty
		in.Close()
		if stays {
			return
		}
	}
}
