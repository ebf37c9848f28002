package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Registration is one module that DKMS knows: the directory MODULE/VERSION in
// the DKMS tree, with a link to the source.
type Registration struct {
	Module Module
	// Source is what the `source` link says, "" without one.
	Source string
	// Conf is what could be read of the module's dkms.conf.
	Conf Conf
	// Broken is why dkms cannot build this module, nil when it can be tried.
	Broken error
}

// sentinel is an error that callers compare with; it is a constant.
type sentinel string

// Error gives the text.
func (s sentinel) Error() string { return string(s) }

// errNoSource says that a module's directory has no `source` link.
const errNoSource = sentinel("the link to its source is gone")

// readRegistrations reads what is known of a module's versions, as it holds for one
// kernel.
func (sv *Survey) readRegistrations(d moduleDir, kernel Release, arch string) []Registration {
	var out []Registration
	for _, version := range d.versions {
		if version.empty {
			continue // an empty directory is no registration
		}
		r := Registration{Module: version.module, Source: version.source}
		if version.sourceErr != nil {
			r.Broken = errNoSource
		} else {
			r.Conf, r.Broken = sv.readConf(version, kernel, arch)
		}
		out = append(out, r)
	}
	return out
}

// readConf reads the dkms.conf of a registered module and the overrides that
// dkms lays over it (dkms(8), "/etc/dkms/<module>.conf" and its variants).
func (sv *Survey) readConf(d versionDir, kernel Release, arch string) (Conf, error) {
	as, err := d.conf()
	if err != nil {
		return Conf{}, err
	}
	name, k := d.module.Name, string(kernel)
	versioned := name + "-" + d.module.Version
	for _, name := range []string{
		name, versioned, versioned + "-" + k, versioned + "-" + k + "-" + arch, name + "--" + k, name + "--" + k + "-" + arch,
	} {
		if !slices.Contains(sv.overrides, name+".conf") {
			continue
		}
		over, err := readShell(sv.layout.Path("/etc/dkms/" + name + ".conf"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Conf{}, fmt.Errorf("/etc/dkms/%s.conf cannot be used: %w", name, err)
		}
		as = as.with(over)
	}
	return newConf(as), nil
}

// readSourceConf reads the dkms.conf of a source. named is what the link to it says.
func readSourceConf(source, named string) (Assignments, error) {
	as, err := readShell(filepath.Join(source, "dkms.conf"))
	if err == nil {
		return as, nil
	}
	if info, statErr := os.Stat(source); statErr != nil || !info.IsDir() {
		return as, fmt.Errorf("its source is gone: %s", named)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return as, fmt.Errorf("its source has no dkms.conf: %s", filepath.Join(source, "dkms.conf"))
	}
	return as, fmt.Errorf("its dkms.conf cannot be used: %w", err)
}

// inRoot follows a link whose absolute target is meant inside the root.
func (l Layout) inRoot(link string) string {
	target, err := os.Readlink(link)
	if err != nil || l.Root == "/" || !filepath.IsAbs(target) {
		return link
	}
	return l.Path(target)
}
