package nofollow

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links are followed to one directory, the limit of
// path_resolution(7).
const maxLinks = 40

// Root is the directory that contains all paths of a system, "/" for the running one.
type Root struct {
	Path string
	// Refuse is for tests. An error that it returns takes the place of a system call, as on a
	// filesystem without that call.
	Refuse func(call, path string) error
}

// OpenDir opens a directory of the system. On the running system the path is followed as the
// kernel does it, so that a DKMS tree that is itself a symbolic link is found. Under another
// root no link leads out of that root.
func (r Root) OpenDir(path string) (*Dir, error) {
	if r.Path == "/" {
		return r.OpenPath(path)
	}
	root, err := r.OpenPath(r.Path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.walk(strings.Split(path, "/"), func(*Dir, string, Stat) error { return nil })
}

// Descend opens a directory below this one. It follows a symbolic link on the way only if
// nobody but root can have created it, for example a link to another disk. dkms follows all of
// them.
func (d *Dir) Descend(names ...string) (*Dir, error) {
	return d.walk(names, madeByRoot)
}

// madeByRoot returns an error unless a link belongs to root and is in a directory that only
// root can write to. Root's own group counts as root. So does the user who runs this program,
// who gains nothing by a link of his own.
func madeByRoot(d *Dir, name string, link Stat) error {
	var in unix.Stat_t
	err := d.call("stat", ".", func(at int) error { return unix.Fstat(at, &in) })
	if err != nil {
		return err
	}
	trusted := func(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }
	others := in.Mode&0o002 != 0 || in.Mode&0o020 != 0 && in.Gid != 0
	if !trusted(link.Uid) || !trusted(in.Uid) || others {
		return fmt.Errorf("cannot follow the symbolic link %s: it can be changed by users other than root", filepath.Join(d.path, name))
	}
	return nil
}

// walk opens a directory below this one, name by name. may returns an error for a link that
// must not be followed.
func (d *Dir) walk(names []string, may func(in *Dir, name string, link Stat) error) (*Dir, error) {
	at, err := d.Sub(".")
	for links := 0; err == nil && len(names) > 0; {
		name := names[0]
		names = names[1:]
		var next *Dir
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
			next, err = d.root.OpenPath(d.root.top())
		}
		at.Close()
		at = next
	}
	if err != nil {
		return nil, err
	}
	return at, nil
}

// step opens the directory with the given name. For a link that may be followed it returns the
// target instead.
func (d *Dir) step(name string, may func(in *Dir, name string, link Stat) error) (*Dir, string, error) {
	st, err := d.Lstat(name)
	switch {
	case err != nil:
		return nil, "", err
	case st.IsDir():
		next, err := d.Sub(name)
		return next, "", err
	case !st.Is(unix.S_IFLNK):
		return nil, "", fmt.Errorf("cannot use %s: not a directory", filepath.Join(d.path, name))
	}
	if err := may(d, name, st); err != nil {
		return nil, "", err
	}
	target, err := d.Readlink(name)
	if err == nil && target == "" {
		err = errors.New("the link is empty")
	}
	return nil, target, err
}

// parent opens the parent directory. The parent of the root is the root itself.
func (d *Dir) parent() (*Dir, error) {
	var here, root unix.Stat_t
	err := errors.Join(unix.Fstat(int(d.file.Fd()), &here), unix.Stat(d.root.top(), &root))
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", d.path, err)
	}
	if here.Dev == root.Dev && here.Ino == root.Ino {
		return d.Sub(".")
	}
	return d.Sub("..")
}

// top returns the directory in which absolute links begin.
func (r Root) top() string { return filepath.Clean(cmp.Or(r.Path, "/")) }

// Inside returns the place of a path of the system, with its links resolved inside the root. On
// the running system it returns the path unchanged: the kernel resolves the links.
func (r Root) Inside(path string) string {
	if r.top() == "/" {
		return path
	}
	done, left, links := "/", strings.Split(path, "/"), 0
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		next := filepath.Join(done, name)
		target, err := os.Readlink(filepath.Join(r.Path, next))
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
	return filepath.Join(r.Path, done)
}

// IsSubdir reports whether an entry of a directory of the system is a directory, or a link to
// one that is somewhere else, as when root moved it to another disk. A link to a directory
// beside it is a second name of that one and does not count.
func (r Root) IsSubdir(dir string, entry os.DirEntry) bool {
	if entry.Type()&os.ModeSymlink == 0 {
		return entry.IsDir()
	}
	real, err := filepath.EvalSymlinks(r.Inside(filepath.Join(dir, entry.Name())))
	here, hereErr := filepath.EvalSymlinks(r.Inside(dir))
	if err != nil || hereErr != nil || filepath.Dir(real) == here {
		return false
	}
	info, err := os.Stat(real)
	return err == nil && info.IsDir()
}
