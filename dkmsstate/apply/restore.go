package apply

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// Restore installs the files of a build that are missing or damaged, and makes the kernel link
// name the build. An installed file that merely differs stays, unless it was built for another
// ABI and fits reports that the build is for the present one.
func (t Tree) Restore(m dkmsstate.Module, arch string, fits bool) error {
	return t.put(m, arch, func(f dkmsstate.File) bool {
		return f.Copy == kmod.CopyMissing || f.Copy == kmod.CopyDamaged || f.OtherABI && fits
	})
}

// put installs files of a build and makes the kernel link name the build. Each file is written
// beside the one that it replaces. Only when all are complete and on the disk are they renamed,
// so that no reader ever finds a partial file and a full disk changes nothing.
func (t Tree) put(m dkmsstate.Module, arch string, which func(dkmsstate.File) bool) error {
	b := t.build(m, arch)
	if !b.Complete() {
		return fmt.Errorf("cannot install %s: it is not built", m)
	}
	if !b.Placed() {
		return fmt.Errorf("cannot install %s: only dkms knows where", m)
	}
	places := t.newPlaces()
	defer places.close()
	var twins []string
	for _, f := range b.Files {
		if which(f) {
			built := filepath.Join(t.Layout.BuildDir(m, t.Kernel, arch), "module", f.Name)
			if err := places.copy(f, built); err != nil {
				return errors.Join(fmt.Errorf("cannot install %s: %w", f.Name, err), places.removeTemps())
			}
			if f.Installed != f.Name {
				twins = append(twins, f.Path())
			}
		}
		for _, name := range f.OtherCompressions {
			twins = append(twins, path.Join(f.Dir, name))
		}
	}
	if err := places.renameTemps(); err != nil {
		return fmt.Errorf("cannot install %s: %w", m, err)
	}
	if err := t.RemoveInstalled(twins); err != nil {
		return err
	}
	module, err := t.openTree(m.Name)
	if err != nil {
		return err
	}
	defer module.Close()
	target := dkmsstate.LinkTarget(m, t.Kernel, arch)
	name := dkmsstate.LinkName(t.Kernel, arch)
	if now, err := module.Readlink(name); err == nil && now == target {
		return nil
	}
	if err := module.ReplaceSymlink(target, name); err != nil {
		return fmt.Errorf("cannot set the kernel link of %s: %w", m, err)
	}
	return nil
}

// putBackOriginals moves modules of the kernel, which dkms archived when it installed this one,
// back to their places, unless there is a file now. (dkms 3.1.7 and later note the place of
// each.) dkms unbuild does the same. This is for when it could not.
func (t Tree) putBackOriginals(m dkmsstate.Module, s dkmsstate.Snapshot) error {
	for _, l := range s.Links {
		if l.Name != m.Name || l.Version != m.Version {
			continue
		}
		dir := t.Layout.OriginalDir(m.Name, t.Kernel, l.Arch)
		origins, _ := filepath.Glob(filepath.Join(dir, "*"+dkmsstate.OriginalSuffix))
		for _, origin := range origins {
			if err := t.putBack(origin); err != nil {
				return fmt.Errorf("cannot put back a module of the kernel: %w", err)
			}
		}
		if !dkmsstate.HasEntries(dir) { // a module without a note of its place stays for its owner to look at
			t.removeEmptyOriginals(m.Name, l.Arch)
		}
	}
	return nil
}

// discardOriginals removes the archived modules of a kernel that is gone. Put back, one of them
// would be the only module of that kernel, which would count as installed for good.
func (t Tree) discardOriginals(name string) error {
	if t.Layout.KernelThere(t.Kernel) {
		return nil
	}
	archive, err := t.openTree(name, dkmsstate.Originals)
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := archive.RemoveAll(string(t.Kernel)); err != nil {
		return fmt.Errorf("cannot remove modules of a kernel that is gone: %w", err)
	}
	return nil
}

// removeEmptyOriginals removes empty directories of archived modules.
func (t Tree) removeEmptyOriginals(name, arch string) {
	path := []string{name, dkmsstate.Originals, string(t.Kernel), arch}
	for n := len(path) - 1; n > 0; n-- {
		in, err := t.openTree(path[:n]...)
		if err != nil {
			continue
		}
		err = in.Remove(path[n])
		in.Close()
		if err != nil && !nofollow.IsNotExist(err) {
			return
		}
	}
}

func (t Tree) putBack(origin string) error {
	file, err := regular.Open(origin)
	if err != nil {
		return err
	}
	defer file.Close()
	line, _ := bufio.NewReader(io.LimitReader(file, 4096)).ReadString('\n')
	rel, ok := strings.CutPrefix(filepath.Clean(strings.TrimSpace(line)), filepath.Join(t.Layout.Install, string(t.Kernel))+"/")
	if !ok {
		return fmt.Errorf("%s contains a path outside the kernel's directory: %q", origin, line)
	}
	place, err := t.openModules(filepath.Join(string(t.Kernel), filepath.Dir(rel)))
	if err != nil {
		return err
	}
	defer place.Close()
	archived := strings.TrimSuffix(origin, dkmsstate.OriginalSuffix)
	if _, err := place.Lstat(filepath.Base(rel)); nofollow.IsNotExist(err) {
		if err := place.ReplaceFile(filepath.Base(rel), archived); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(archived), os.Remove(origin))
}
