package debpkg

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/vmlinuz"
)

// imagePaths returns the paths of a kernel's image. A hook copies the one in the kernel's
// module directory to /boot (Debian 14).
func imagePaths(kver string) []string {
	return append(vmlinuz.Paths(kver), "/usr/lib/modules/"+kver+"/vmlinuz", "/lib/modules/"+kver+"/vmlinuz")
}

// listPaths returns the paths of the lists of a kernel's own modules, which the build of the
// kernel creates. A file below kernel/ proves nothing: vendors put prebuilt modules there.
func listPaths(kver string) []string {
	var paths []string
	for _, name := range []string{"modules.order", "modules.builtin"} {
		paths = append(paths, "/usr/lib/modules/"+kver+"/"+name, "/lib/modules/"+kver+"/"+name)
	}
	return paths
}

// Owners returns the packages whose files are or may be present and that own a kernel, its image or the
// lists of its modules, whatever dpkg is going to do with them. Names prove nothing
// (linux-image-current-rockchip64 may own any release), so every package's list is searched.
func (db *Database) Owners(kver string) ([]Package, error) {
	diversions, err := db.diversions()
	if err != nil {
		return nil, err
	}
	paths := append(imagePaths(kver), listPaths(kver)...)
	return db.having(Status.MayBePresent, func(name string, list []byte) bool {
		return slices.ContainsFunc(paths, haver(name, list, diversions))
	})
}

// Starters returns those of the owners from which the kernel can be started. They contain its
// image in /boot, or, together with the lists of its modules, one in the kernel's module
// directory, or one whose name does not contain the release (kernel8.img of the Raspberry Pi).
func (db *Database) Starters(kver string) ([]Package, error) {
	diversions, err := db.diversions()
	if err != nil {
		return nil, err
	}
	return db.having(Status.MayBePresent, func(name string, list []byte) bool {
		have := haver(name, list, diversions)
		boot := slices.DeleteFunc(imagePaths(kver), func(path string) bool { return !strings.HasPrefix(path, "/boot/") })
		return slices.ContainsFunc(boot, have) ||
			slices.ContainsFunc(listPaths(kver), have) && len(images(kver, list)) > 0
	})
}

// Images returns the paths of images of a kernel that a package contains together with the lists
// of its modules: in the kernel's module directory, or in /boot with a name that does not contain
// the release.
func (db *Database) Images(kver string) ([]string, error) {
	var paths []string
	_, err := db.having(Status.MayBePresent, func(name string, list []byte) bool {
		if slices.ContainsFunc(listPaths(kver), haver(name, list, nil)) {
			paths = append(paths, images(kver, list)...)
		}
		return false
	})
	return paths, err
}

// images returns the paths of images in a list: those of the kernel, and those whose names do not
// contain a release.
func images(kver string, list []byte) []string {
	var paths []string
	for line := range bytes.Lines(list) {
		path := strings.TrimSuffix(string(line), "\n")
		dir, name := filepath.Split(path)
		boot := dir == "/boot/" || dir == "/boot/firmware/"
		other := slices.Contains(vmlinuz.Names(), name) || strings.HasPrefix(name, "kernel") && strings.HasSuffix(name, ".img")
		if boot && other || slices.Contains(imagePaths(kver), path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// WithFilesOf returns the packages that contain a file in the kernel's directory of the module
// tree, or its image, and whose status satisfies status.
func (db *Database) WithFilesOf(kver string, status func(Status) bool) ([]Package, error) {
	diversions, err := db.diversions()
	if err != nil {
		return nil, err
	}
	return db.having(status, func(name string, list []byte) bool {
		return hasBelow(list, "/lib/modules/"+kver+"/") || slices.ContainsFunc(imagePaths(kver), haver(name, list, diversions))
	})
}

// hasBelow reports whether a list contains a path below dir, which is given without the /usr of
// a merged /usr. A path in another place does not count, such as that of debugging symbols
// below /usr/lib/debug.
func hasBelow(list []byte, dir string) bool {
	if !bytes.Contains(list, []byte(dir)) {
		return false
	}
	for line := range bytes.Lines(list) {
		if bytes.HasPrefix(bytes.TrimPrefix(line, []byte("/usr")), []byte(dir)) {
			return true
		}
	}
	return false
}

// HasPostinst reports whether a package has a postinst, which dpkg runs to configure it.
func (db *Database) HasPostinst(p Package) bool {
	for _, name := range []string{p.Name, p.Name + ":" + p.Arch} {
		if _, err := os.Stat(filepath.Join(db.dir, "info", name+".postinst")); err == nil {
			return true
		}
	}
	return false
}

// WithFile returns the packages that contain a file. The path is without the /usr of a merged
// /usr: /lib/modules/6.1.0/updates/dkms/x.ko.
func (db *Database) WithFile(path string) ([]Package, error) {
	return db.having(Status.Any, func(_ string, list []byte) bool {
		return hasFile(list, path)
	})
}

// hasFile reports whether a list has a file whose path is without the /usr of a merged /usr.
func hasFile(list []byte, path string) bool {
	return hasLine(list, path) || hasLine(list, "/usr"+path)
}

// Holders returns the packages that contain some files and whose own files are present, by the
// path of the file. The lists are read once for all paths, which are as for WithFile.
func (db *Database) Holders(paths []string) (map[string]Package, error) {
	found := map[string][]string{}
	packages, err := db.having(Status.Present, func(name string, list []byte) bool {
		for _, path := range paths {
			if hasFile(list, path) {
				found[name] = append(found[name], path)
			}
		}
		return len(found[name]) > 0
	})
	holders := map[string]Package{}
	for _, p := range packages {
		for _, path := range found[p.Name] {
			holders[path] = p
		}
	}
	return holders, err
}

// having returns the packages whose status and list of files match. PKG:ARCH.list is for
// Multi-Arch: same.
func (db *Database) having(status func(Status) bool, match func(name string, list []byte) bool) ([]Package, error) {
	var packages []Package
	for name, records := range db.records {
		for _, r := range records {
			if r.bad != nil || !status(r.want) {
				continue
			}
			list, err := db.list(name, string(r.arch))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if !match(name, list) {
				continue
			}
			if p, ok := r.decode(); ok {
				packages = append(packages, p)
			}
		}
	}
	slices.SortFunc(packages, byName)
	return packages, nil
}

// list returns the list of a package's files.
func (db *Database) list(name, arch string) ([]byte, error) {
	list, _, err := readFile(filepath.Join(db.dir, "info", name+".list"))
	if errors.Is(err, fs.ErrNotExist) {
		list, _, err = readFile(filepath.Join(db.dir, "info", name+":"+arch+".list"))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the list of files of %s: %w", name, err)
	}
	return list, nil
}

// HasNamedAfter reports whether a package contains a file or a directory that is named after a kernel:
// RELEASE, or something that ends with -RELEASE.
func (db *Database) HasNamedAfter(p Package, kver string) (bool, error) {
	list, err := db.list(p.Name, p.Arch)
	for line := range bytes.Lines(list) {
		for _, part := range bytes.Split(bytes.TrimSpace(line), []byte("/")) {
			if string(part) == kver || bytes.HasSuffix(part, []byte("-"+kver)) {
				return true, err
			}
		}
	}
	return false, err
}

// haver returns a function that reports whether a package contains a path. A diverted file has
// the path to which it is diverted.
func haver(name string, list []byte, diversions []diversion) func(path string) bool {
	return func(path string) bool {
		if hasLine(list, path) && !divertedAway(diversions, path, name) {
			return true
		}
		return slices.ContainsFunc(diversions, func(d diversion) bool { return d.to == path && d.by != name && hasLine(list, d.from) })
	}
}

// hasLine reports whether a line of data is line. Most lists do not contain the text at all, so
// this is checked first.
func hasLine(data []byte, line string) bool {
	if !bytes.Contains(data, []byte(line)) {
		return false
	}
	for l := range bytes.Lines(data) {
		if string(bytes.TrimSuffix(l, []byte("\n"))) == line {
			return true
		}
	}
	return false
}

// diversion is an entry of dpkg-divert(1): the file from of every package except by is at to.
type diversion struct{ from, to, by string }

func (db *Database) diversions() ([]diversion, error) {
	data, _, err := readFile(filepath.Join(db.dir, "diversions"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read dpkg's diversions: %w", err)
	}
	lines := strings.Split(string(data), "\n")
	var out []diversion
	for ; len(lines) >= 3; lines = lines[3:] {
		out = append(out, diversion{lines[0], lines[1], lines[2]})
	}
	return out, nil
}

// DivertedTo returns the name that files of other packages get which are called path, "" if
// there is no diversion of path.
func (db *Database) DivertedTo(path string) (string, error) {
	diversions, err := db.diversions()
	for _, d := range diversions {
		if d.from == path {
			return d.to, err
		}
	}
	return "", err
}

func divertedAway(diversions []diversion, path, name string) bool {
	return slices.ContainsFunc(diversions, func(d diversion) bool { return d.from == path && d.by != name })
}
