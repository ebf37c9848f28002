package dkmsstate

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"strings"
)

// Conf is what the hooks need of a module's dkms.conf. dkms(8) reads the file
// itself by sourcing it; here it is only parsed, so a value that takes a shell
// to know is in Clever.
type Conf struct {
	// Autoinstall: dkms may install this module for a kernel unasked.
	Autoinstall bool
	// Depends are the module names of BUILD_DEPENDS.
	Depends []string
	// Names are those of the files of its modules, without .ko, and what they
	// may be called besides (DEST_MODULE_NAME, BUILT_MODULE_NAME, PACKAGE_NAME).
	Names []string
	// OwnSteps: uninstalling runs something of the module's own (POST_REMOVE).
	OwnSteps bool
	// InstallSteps: installing runs something of the module's own (PRE_INSTALL,
	// POST_INSTALL), or looks at the kernel's release (OBSOLETE_BY).
	InstallSteps bool
	// RebuiltWith: installing one of Depends builds this module anew
	// (BUILD_DEPENDS_REBUILD).
	RebuiltWith bool
	// Clever are the names among these that only a shell could tell.
	Clever []string
}

// maxConf bounds what is read of a dkms.conf; the longest known has 30 kB.
const maxConf = 1 << 20

// with gives these assignments with those of a file that is sourced later over them.
func (as Assignments) with(over Assignments) Assignments {
	out := Assignments{Plain: maps.Clone(as.Plain), Clever: maps.Clone(as.Clever), Sources: as.Sources || over.Sources}
	for name, value := range over.Plain {
		out.Plain[name] = value
		delete(out.Clever, name)
	}
	for name := range over.Clever {
		out.Clever[name] = true
	}
	return out
}

func newConf(as Assignments) Conf {
	c := Conf{
		Autoinstall: yes(as.Plain["AUTOINSTALL"]),
		RebuiltWith: as.Plain["BUILD_DEPENDS_REBUILD"] != "" || as.Clever["BUILD_DEPENDS_REBUILD"] || as.Sources,
		OwnSteps:    as.Plain["POST_REMOVE"] != "" || as.Clever["POST_REMOVE"],
	}
	for _, name := range []string{"PRE_INSTALL", "POST_INSTALL", "OBSOLETE_BY"} {
		c.InstallSteps = c.InstallSteps || as.Plain[name] != "" || as.Clever[name] || as.Sources
	}
	for _, variable := range []string{"DEST_MODULE_NAME", "BUILT_MODULE_NAME", "PACKAGE_NAME"} {
		c.Names = append(c.Names, as.Elements(variable)...)
	}
	for _, value := range as.Elements("BUILD_DEPENDS") {
		c.Depends = append(c.Depends, strings.Fields(value)...)
	}
	for _, name := range []string{"AUTOINSTALL", "BUILD_DEPENDS", "POST_REMOVE"} {
		if as.Clever[name] || (as.Sources && as.Plain[name] == "") {
			c.Clever = append(c.Clever, name)
		}
	}
	return c
}

// yes reads a switch as dkms does: 3.2 knows yes and no in any case, older ones
// take every word for yes.
func yes(value string) bool {
	value = strings.TrimSuffix(value, "\r")
	return value != "" && !strings.EqualFold(value, "no")
}

func readShell(path string) (Assignments, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Assignments{}, err
	}
	if !info.Mode().IsRegular() {
		return Assignments{}, fmt.Errorf("%s is no regular file", path)
	}
	if info.Size() > maxConf {
		return Assignments{}, fmt.Errorf("%s has %d bytes, more than the %d that are read", path, info.Size(), maxConf)
	}
	data, err := readRegular(path)
	if err != nil {
		return Assignments{}, err
	}
	return ReadAssignments(bytes.NewReader(data), path)
}
