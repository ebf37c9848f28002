package dkmsstate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Restore makes the installed files of a build equal to the built ones and the
// kernel link name the build. A file is replaced by one that is complete and on
// the disk, so that no reader ever finds half of it.
func (t Tree) Restore(m Module, arch string) error {
	s := Snapshot{Layout: t.Layout, Kernel: t.Kernel}
	b := s.readBuild(m, arch)
	if !b.Complete() {
		return fmt.Errorf("cannot install %s: there is no build of it", m)
	}
	install, err := t.makeInstall()
	if err != nil {
		return err
	}
	defer install.Close()
	for _, f := range b.Files {
		if f.Copy != CopySame {
			built := filepath.Join(t.Layout.buildDir(m, t.Kernel, arch), "module", f.Name)
			if err := replaceFile(install, f.Name, built); err != nil {
				return fmt.Errorf("cannot install %s: %w", f.Name, err)
			}
		}
		if err := removeFiles(install, f.Twins); err != nil {
			return err
		}
	}
	tree, err := t.Layout.openDir(t.Layout.Tree)
	if err != nil {
		return fmt.Errorf("cannot open the DKMS tree: %w", err)
	}
	defer tree.Close()
	module, err := openSub(tree, m.Name)
	if err != nil {
		return err
	}
	defer module.Close()
	target := linkTarget(m, t.Kernel, arch)
	name := linkName(t.Kernel, arch)
	if now, err := os.Readlink(filepath.Join(t.Layout.tree(), m.Name, name)); err == nil && now == target {
		return nil
	}
	if err := symlinkIn(module, target, name); err != nil {
		return fmt.Errorf("cannot set the kernel link of %s: %w", m, err)
	}
	return nil
}

// makeInstall opens the install directory of the kernel, made where needed.
func (t Tree) makeInstall() (*os.Root, error) {
	install, err := t.Layout.openDir(t.Layout.Install)
	if err != nil {
		return nil, fmt.Errorf("cannot open the module tree: %w", err)
	}
	defer install.Close()
	dir := string(t.Kernel)
	for _, name := range strings.Split(installedUnder, "/") {
		dir = filepath.Join(dir, name)
		if err := install.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("cannot make the install directory: %w", err)
		}
	}
	return t.openInstall()
}

// tempName is what a module file is called while it is being written. It does
// not end as a module does, so that depmod passes over one that a kill left.
func tempName(name string) string { return "." + name + ".dkms-hooks" }

// replaceFile puts a copy of a file into a directory under a name, whole or
// not at all.
func replaceFile(dir *os.Root, name, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	return writeFile(dir, name, info.Mode().Perm(), func(to *os.File) error {
		_, err := io.Copy(to, src)
		return err
	})
}

// writeFile puts a file into a directory under a name, whole and on the disk or
// not at all.
func writeFile(dir *os.Root, name string, perm fs.FileMode, write func(to *os.File) error) error {
	temp := tempName(name)
	if err := removeAll(dir, temp); err != nil {
		return err
	}
	to, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	err = write(to)
	err = errors.Join(err, to.Sync(), to.Close())
	if err == nil {
		err = renameIn(dir, temp, name)
	}
	if err != nil {
		return errors.Join(err, removeAll(dir, temp))
	}
	return withDir(dir, unix.Fsync)
}

// putBackOriginals moves the kernel's own modules, which dkms archived when it
// installed this one (3.1.7 and later note where each came from), back to where
// nothing stands now. dkms unbuild does the same; this is for when it could not.
func (t Tree) putBackOriginals(tree *os.Root, m Module, s Snapshot) error {
	for _, l := range s.Links {
		if l.Name != m.Name || l.Version != m.Version {
			continue
		}
		dir := t.Layout.originalDir(m.Name, t.Kernel, l.Arch)
		origins, _ := filepath.Glob(filepath.Join(dir, "*.origin"))
		for _, origin := range origins {
			if err := t.putBack(origin); err != nil {
				return fmt.Errorf("cannot put back a module of the kernel: %w", err)
			}
		}
		original := filepath.Join(m.Name, "original_module")
		if !hasEntries(dir) { // what has no note of its origin stays for its owner to look at
			for _, sub := range []string{filepath.Join(original, string(t.Kernel), l.Arch), filepath.Join(original, string(t.Kernel)), original} {
				if err := tree.Remove(sub); err != nil {
					break
				}
			}
		}
	}
	return nil
}

func (t Tree) putBack(origin string) error {
	file, err := os.Open(origin)
	if err != nil {
		return err
	}
	defer file.Close()
	line, _ := bufio.NewReader(io.LimitReader(file, 4096)).ReadString('\n')
	rel, ok := strings.CutPrefix(filepath.Clean(strings.TrimSpace(line)), filepath.Join(t.Layout.Install, string(t.Kernel))+"/")
	if !ok {
		return fmt.Errorf("%s names a place outside of the kernel's modules: %q", origin, line)
	}
	install, err := t.Layout.openDir(t.Layout.Install)
	if err != nil {
		return err
	}
	defer install.Close()
	place, err := openSub(install, strings.Split(filepath.Join(string(t.Kernel), filepath.Dir(rel)), "/")...)
	if err != nil {
		return err
	}
	defer place.Close()
	archived := strings.TrimSuffix(origin, ".origin")
	if _, err := place.Lstat(filepath.Base(rel)); errors.Is(err, fs.ErrNotExist) {
		if err := replaceFile(place, filepath.Base(rel), archived); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(archived), os.Remove(origin))
}
