package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Conf is what the hooks need of a module's dkms.conf. dkms(8) reads the file
// itself by sourcing it; here it is only parsed. Where that does not show a value, what
// follows from it is left to dkms.
type Conf struct {
	// Autoinstall: dkms may install this module for a kernel unasked. AutoinstallUnknown:
	// only dkms can find that out, and Autoinstall is what it found when it was last asked.
	Autoinstall, AutoinstallUnknown bool
	// Depends are the module names of BUILD_DEPENDS. DependsUnknown: only dkms can find
	// them, and Depends are what it found when it was last asked, if Answered.
	Depends                  []string
	DependsUnknown, Answered bool
	// Names are those of the files of its modules, without .ko, and what they
	// may be called besides (DEST_MODULE_NAME, BUILT_MODULE_NAME, PACKAGE_NAME).
	Names []string
	// OwnSteps: uninstalling may run something of the module's own (POST_REMOVE).
	OwnSteps bool
	// InstallSteps: installing may run something of the module's own (PRE_INSTALL,
	// POST_INSTALL), or looks at the kernel's release (OBSOLETE_BY).
	InstallSteps bool
	// RebuiltWith: installing one of Depends may rebuild this module
	// (BUILD_DEPENDS_REBUILD). A file of which little is known has to name it.
	RebuiltWith bool
}

// maxConf bounds what is parsed of a dkms.conf; the longest known has 30 kB.
const maxConf = 1 << 20

func newConf(as Assignments) Conf {
	c := Conf{
		RebuiltWith:  as.MayBeSet("BUILD_DEPENDS_REBUILD") && as.Mentions("BUILD_DEPENDS_REBUILD"),
		OwnSteps:     as.MayBeSet("POST_REMOVE"),
		InstallSteps: as.MayBeSet("PRE_INSTALL") || as.MayBeSet("POST_INSTALL") || as.MayBeSet("OBSOLETE_BY"),
	}
	for _, variable := range []string{"DEST_MODULE_NAME", "BUILT_MODULE_NAME", "PACKAGE_NAME"} {
		names, _ := as.Elements(variable)
		c.Names = append(c.Names, names...)
	}
	value, known := as.Value("AUTOINSTALL")
	c.Autoinstall, c.AutoinstallUnknown = known && yes(value), !known
	depends, known := as.Elements("BUILD_DEPENDS")
	for _, value := range depends {
		c.Depends = append(c.Depends, strings.Fields(value)...)
	}
	c.DependsUnknown = !known
	return c
}

// NeedsUnknown reports whether nobody could tell what the module needs.
func (c Conf) NeedsUnknown() bool { return c.DependsUnknown && !c.Answered }

// yes reads a switch as dkms does: 3.2 knows yes and no in any case, older ones
// take every word for yes.
func yes(value string) bool { return value != "" && !strings.EqualFold(value, "no") }

// readShell reads a shell file, or reports why there is nothing in it for dkms either.
// Nothing is known of a file that cannot be parsed; trouble says why.
func (as Assignments) readShell(path string) (out Assignments, trouble, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "read", Path: path, Err: errNotRegular}
	case info.Size() > maxConf:
		trouble = fmt.Errorf("%s has %d bytes, more than the %d that are parsed", path, info.Size(), maxConf)
	default:
		var data []byte
		if data, trouble = readRegular(path); trouble == nil {
			out, trouble = as.then(data, path)
		}
	}
	if trouble != nil {
		out = Assignments{opaque: true}
	}
	return out, trouble, err
}

// errNotRegular is why a directory, a device or a pipe is not read.
const errNotRegular = sentinel("it is not a regular file")

// readOverride reads a file that dkms sources after another where it exists. It goes on
// when that is a directory or a socket, which cannot be sourced, or the empty /dev/null.
func (as Assignments) readOverride(path string) (Assignments, error, error) {
	out, trouble, err := as.readShell(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotRegular) && saysNothing(path) {
		return as, nil, nil
	}
	return out, trouble, err
}

func saysNothing(path string) bool {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR, unix.S_IFSOCK:
		return true
	}
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(1, 3)
}
