package dkmsstate

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links are followed to one directory, as
// path_resolution(7) has it.
const maxLinks = 40

// openDir opens a directory of the system for work in it. On the running system the
// path is followed as the kernel does it, so that a DKMS tree which is itself a
// symbolic link is found; under another root no link leads out of that root.
func (l Layout) openDir(path string) (*dir, error) {
	if l.Root == "/" {
		return l.openPath(path)
	}
	root, err := l.openPath(l.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.walk(strings.Split(path, "/"), func(*dir, string, dirStat) error { return nil })
}

// openSub opens a directory below another. A symbolic link on the way is followed
// where nobody but root can have made it, for example to another disk; dkms follows
// them all.
func openSub(d *dir, names ...string) (*dir, error) {
	return d.walk(names, madeByRoot)
}

// madeByRoot returns an error unless a link belongs to root and is in a directory that
// only root can write to; root's own group counts as root. The user who runs this is as
// good as root: there is nothing to win by a link of one's own.
func madeByRoot(d *dir, name string, link dirStat) error {
	var in unix.Stat_t
	err := d.call("stat", ".", func(at int) error { return unix.Fstat(at, &in) })
	if err != nil {
		return err
	}
	trusted := func(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }
	others := in.Mode&0o002 != 0 || in.Mode&0o020 != 0 && in.Gid != 0
	if !trusted(link.Uid) || !trusted(in.Uid) || others {
		return fmt.Errorf("cannot follow the symbolic link %s: others than root can change it", filepath.Join(d.path, name))
	}
	return nil
}

// walk opens a directory below this one, name by name; may says whether a link may be
// followed.
func (d *dir) walk(names []string, may func(in *dir, name string, link dirStat) error) (*dir, error) {
	at, err := d.sub(".")
	for links := 0; err == nil && len(names) > 0; {
		name := names[0]
		names = names[1:]
		var next *dir
		switch name {
		case "", ".":
			continue
		case "..":
			next, err = at.parent()
		default:
			var target string
			if next, target, err = at.step(name, may); err != nil || next != nil {
				break
			}
			if links++; links > maxLinks {
				err = fmt.Errorf("cannot use %s: %w", filepath.Join(at.path, name), unix.ELOOP)
				break
			}
			names = append(strings.Split(target, "/"), names...)
			if !filepath.IsAbs(target) {
				continue
			}
			next, err = d.layout.openPath(d.layout.top())
		}
		at.Close()
		at = next
	}
	if err != nil {
		return nil, err
	}
	return at, nil
}

// step opens the directory of a name, or returns the target of a link that may be
// followed.
func (d *dir) step(name string, may func(in *dir, name string, link dirStat) error) (*dir, string, error) {
	st, err := d.Lstat(name)
	switch {
	case err != nil:
		return nil, "", err
	case st.IsDir():
		next, err := d.sub(name)
		return next, "", err
	case !st.is(unix.S_IFLNK):
		return nil, "", fmt.Errorf("cannot use %s: it is no directory", filepath.Join(d.path, name))
	}
	if err := may(d, name, st); err != nil {
		return nil, "", err
	}
	target, err := d.readlink(name)
	if err == nil && target == "" {
		err = errors.New("the link is empty")
	}
	return nil, target, err
}

// parent opens the directory that this one is in; that of the root is itself.
func (d *dir) parent() (*dir, error) {
	var here, root unix.Stat_t
	err := errors.Join(unix.Fstat(int(d.file.Fd()), &here), unix.Stat(d.layout.top(), &root))
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", d.path, err)
	}
	if here.Dev == root.Dev && here.Ino == root.Ino {
		return d.sub(".")
	}
	return d.sub("..")
}

// top is the directory that absolute links begin at.
func (l Layout) top() string { return filepath.Clean(cmp.Or(l.Root, "/")) }

// inside gives the place of a path of the system with its links followed inside of the
// root. On the running system the kernel does that.
func (l Layout) inside(path string) string {
	if l.top() == "/" {
		return path
	}
	done, left, links := "/", strings.Split(path, "/"), 0
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		next := filepath.Join(done, name)
		target, err := os.Readlink(l.Path(next))
		if err != nil || links == maxLinks {
			done = next
			continue
		}
		links++
		left = append(strings.Split(target, "/"), left...)
		if filepath.IsAbs(target) {
			done = "/"
		}
	}
	return l.Path(done)
}

// isSubdir reports whether an entry of a directory of the system is a directory, or a
// link to one that is somewhere else, as when root moved it to another disk. A link
// beside what it names is a second name of that.
func (l Layout) isSubdir(dir string, entry os.DirEntry) bool {
	if entry.Type()&os.ModeSymlink == 0 {
		return entry.IsDir()
	}
	real, err := filepath.EvalSymlinks(l.inside(filepath.Join(dir, entry.Name())))
	here, hereErr := filepath.EvalSymlinks(l.inside(dir))
	if err != nil || hereErr != nil || filepath.Dir(real) == here {
		return false
	}
	info, err := os.Stat(real)
	return err == nil && info.IsDir()
}

// versionsWith returns the modules that have an entry of a name in MODULE/VERSION.
func (l Layout) versionsWith(name string) []Module {
	var found []Module
	modules, _ := os.ReadDir(l.tree())
	for _, module := range modules {
		if !l.isSubdir(l.Tree, module) || checkName(module.Name()) != nil {
			continue
		}
		versions, _ := os.ReadDir(l.moduleDir(module.Name()))
		for _, version := range versions {
			m := Module{Name: module.Name(), Version: version.Name()}
			if _, err := os.Lstat(filepath.Join(l.versionDir(m), name)); err == nil && l.isSubdir(filepath.Join(l.Tree, m.Name), version) {
				found = append(found, m)
			}
		}
	}
	return found
}

// kernelNames returns the names of the directories in the module tree.
func (l Layout) kernelNames() []string {
	entries, _ := os.ReadDir(l.inside(l.Install))
	var names []string
	for _, entry := range entries {
		if l.isSubdir(l.Install, entry) {
			names = append(names, entry.Name())
		}
	}
	return names
}
