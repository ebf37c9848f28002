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
)

// kernelPaths are the paths of which a package that owns a kernel has one: the
// image, or the directory of the kernel's own modules (on sid the image is made
// by a hook and nobody's).
func kernelPaths(kver string) []string {
	return []string{
		"/boot/vmlinuz-" + kver,
		"/boot/vmlinux-" + kver,
		"/usr/lib/modules/" + kver + "/kernel",
		"/lib/modules/" + kver + "/kernel",
	}
}

// Owners gives the packages with their files there that own a kernel, whatever
// dpkg means to do with them. Names prove nothing (linux-image-current-rockchip64
// owns any release), so every package's list is looked into.
func (db *Database) Owners(kver string) ([]Package, error) {
	diversions, err := db.diversions()
	if err != nil {
		return nil, err
	}
	return db.having(Status.Present, func(name string, list []byte) bool {
		return owns(name, list, kver, diversions)
	})
}

// WithFilesOf gives the packages that have a file in the kernel's directory of
// the module tree or are its image, and whose status is among those asked for.
func (db *Database) WithFilesOf(kver string, status func(Status) bool) ([]Package, error) {
	return db.having(status, func(name string, list []byte) bool {
		return bytes.Contains(list, []byte("/lib/modules/"+kver+"/")) || owns(name, list, kver, nil)
	})
}

// HasPostinst says that a package has a postinst, which dpkg runs to configure it.
func (db *Database) HasPostinst(p Package) bool {
	for _, name := range []string{p.Name, p.Name + ":" + p.Arch} {
		if _, err := os.Stat(filepath.Join(db.dir, "info", name+".postinst")); err == nil {
			return true
		}
	}
	return false
}

// WithFile gives the packages that have a file, which is named as it is without
// the /usr of a merged /usr: /lib/modules/6.1.0/updates/dkms/x.ko.
func (db *Database) WithFile(path string) ([]Package, error) {
	return db.having(Status.Any, func(_ string, list []byte) bool {
		return hasLine(list, path) || hasLine(list, "/usr"+path)
	})
}

// having gives the packages whose status and list of files match; PKG:ARCH.list
// is for Multi-Arch: same.
func (db *Database) having(status func(Status) bool, match func(name string, list []byte) bool) ([]Package, error) {
	var packages []Package
	for name, records := range db.records {
		for _, r := range records {
			if r.bad != nil || !status(r.want) {
				continue
			}
			list, _, err := readFile(filepath.Join(db.dir, "info", name+".list"))
			if errors.Is(err, fs.ErrNotExist) {
				list, _, err = readFile(filepath.Join(db.dir, "info", name+":"+string(r.arch)+".list"))
			}
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("cannot read which files %s has: %w", name, err)
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

// owns looks into the list of a package.
func owns(name string, list []byte, kver string, diversions []diversion) bool {
	for _, path := range kernelPaths(kver) {
		if hasLine(list, path) && !divertedAway(diversions, path, name) {
			return true
		}
		for _, d := range diversions {
			if d.to == path && d.by != name && hasLine(list, d.from) {
				return true
			}
		}
	}
	return false
}

// hasLine says whether a line of data is line. Most lists do not hold the text
// at all, so that is asked first.
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

// diversion is one entry of dpkg-divert(1): the file from of every package but
// by is at to.
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

func divertedAway(diversions []diversion, path, name string) bool {
	return slices.ContainsFunc(diversions, func(d diversion) bool { return d.from == path && d.by != name })
}
