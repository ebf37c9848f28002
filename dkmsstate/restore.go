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
)

// Restore installs those files of a build that are missing or damaged, and makes the
// kernel link name the build. What merely differs from the built file stays, unless it
// was built for another ABI and fits says that the build is for the present one.
func (t Tree) Restore(m Module, arch string, fits bool) error {
	return t.put(m, arch, func(f File) bool {
		return f.Copy == CopyMissing || f.Copy == CopyDamaged || f.OtherABI && fits
	})
}

// put installs files of a build and makes the kernel link name it. Each file is written
// beside the one that it replaces, and only when all are complete and on the disk does
// the first take its place: no reader ever finds half of one, and a full disk changes
// nothing.
func (t Tree) put(m Module, arch string, which func(File) bool) error {
	b := t.build(m, arch)
	if !b.Complete() {
		return fmt.Errorf("cannot install %s: there is no build of it", m)
	}
	install, err := t.makeInstall()
	if err != nil {
		return err
	}
	defer install.Close()
	var written, twins []string
	for _, f := range b.Files {
		if which(f) {
			built := filepath.Join(t.Layout.buildDir(m, t.Kernel, arch), "module", f.Name)
			if err := copyFile(install, f.Name, built); err != nil {
				return errors.Join(fmt.Errorf("cannot install %s: %w", f.Name, err), removeTemps(install, written))
			}
			written = append(written, f.Name)
			if f.Installed != f.Name {
				twins = append(twins, f.Installed)
			}
		}
		twins = append(twins, f.Twins...)
	}
	if err := putInPlace(install, written); err != nil {
		return fmt.Errorf("cannot install %s: %w", m, err)
	}
	if err := removeFiles(install, twins); err != nil {
		return err
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
		original := filepath.Join(m.Name, originals)
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
	file, err := openRegular(origin)
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
