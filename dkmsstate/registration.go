package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dkms-hooks/dkmsstate/sentinel"
	"dkms-hooks/dkmsstate/shvars"
)

// Registration is a module that DKMS knows: the directory MODULE/VERSION in the DKMS tree, with
// a link to the source.
type Registration struct {
	Module Module
	// Source is the target of the `source` link, "" without one.
	Source string
	// Conf is what could be read of the module's dkms.conf.
	Conf Conf
	// Broken is why dkms cannot build this module, nil if it may be able to.
	Broken error
	// Unanswered is why it is not known whether dkms would install this module unasked, nil if
	// it is known.
	Unanswered error
}

// ErrNoSource means that a module's directory has no `source` link.
const ErrNoSource = sentinel.Error("its source link is missing")

// ErrNotAsked means that dkms has not been asked yet.
const ErrNotAsked = sentinel.Error("only dkms can determine whether its dkms.conf sets AUTOINSTALL for this kernel; the hook will ask it")

// readRegistrations reads the registrations of a module, as they apply to one kernel.
func (sv *Survey) readRegistrations(d moduleDir, kernel Release, arch string) []Registration {
	var out []Registration
	for _, version := range d.versions {
		if version.empty {
			continue // an empty directory is not a registration
		}
		r := Registration{Module: version.module, Source: version.source}
		if version.sourceErr != nil {
			r.Broken = ErrNoSource
		} else {
			r.Conf, r.Broken = sv.readConf(version, kernel, arch)
		}
		if r.Conf.AutoinstallUnknown {
			r.Unanswered = ErrNotAsked
		}
		out = append(out, r)
	}
	return out
}

// RegistrationLink returns the path of the link that registers a module.
func (l Layout) RegistrationLink(m Module) string { return filepath.Join(l.VersionDir(m), "source") }

// Registered identifies the registration of a module, "" without one. A module that is removed from
// dkms and added again has another one.
func (l Layout) Registered(m Module) string {
	info, err := os.Lstat(l.RegistrationLink(m))
	if err != nil {
		return ""
	}
	var s stamp
	s.add(info)
	return s.sum()
}

// readConf reads the dkms.conf of a registered module and the overrides that dkms applies to it
// (dkms(8), "/etc/dkms/<module>.conf" and its variants).
func (sv *Survey) readConf(d versionDir, kernel Release, arch string) (Conf, error) {
	as, err := sv.assignments(d, kernel, arch)
	if err != nil {
		return Conf{}, err
	}
	return newConf(as, kernel, arch), nil
}

// assignments returns what the dkms.conf and its overrides set.
func (sv *Survey) assignments(d versionDir, kernel Release, arch string) (shvars.Assignments, error) {
	as, err := d.conf()
	if err != nil {
		return as, err
	}
	for _, name := range overrideFiles(d.module, kernel, arch) {
		if !slices.Contains(sv.overrides, name) {
			continue
		}
		file := filepath.Join(overridesDir, name)
		as, _, err = as.SourceIfThere(sv.layout.Path(file))
		if err != nil {
			return as, fmt.Errorf("cannot use %s: %w", file, err)
		}
	}
	return as, nil
}

// overridesDir contains the overrides of each dkms.conf.
const overridesDir = "/etc/dkms"

// overrideFiles returns the names of the overrides that dkms applies to a module on a kernel, in its
// order.
func overrideFiles(m Module, kernel Release, arch string) []string {
	k, versioned := string(kernel), m.Name+"-"+m.Version
	var files []string
	for _, name := range []string{
		m.Name, versioned, versioned + "-" + k, versioned + "-" + k + "-" + arch, m.Name + "--" + k, m.Name + "--" + k + "-" + arch,
	} {
		files = append(files, name+".conf")
	}
	return files
}

// readSourceConf reads the dkms.conf of a source. named is the target of the link to it. An
// error means that no dkms can build the module. It is not an error if the file cannot be
// parsed, or not be read by this user.
func readSourceConf(source, named string) (shvars.Assignments, error) {
	as, _, err := shvars.Assignments{}.Source(filepath.Join(source, "dkms.conf"))
	switch info, statErr := os.Stat(source); {
	case err == nil:
		return as, nil
	case errors.Is(err, fs.ErrPermission):
		return shvars.Opaque(), nil
	case statErr != nil || !info.IsDir():
		return as, fmt.Errorf("its source is gone: %s", named)
	case errors.Is(err, fs.ErrNotExist):
		return as, fmt.Errorf("its source has no dkms.conf: %s", filepath.Join(source, "dkms.conf"))
	}
	return as, fmt.Errorf("cannot use its dkms.conf: %w", err)
}

// inRoot returns the target of a link whose absolute target is meant inside the root. On the
// running system it returns the link itself.
func (l Layout) inRoot(link string) string {
	target, err := os.Readlink(link)
	if err != nil || l.Root == "/" || !filepath.IsAbs(target) {
		return link
	}
	return l.Path(target)
}
