package dkmsstate

import (
	"strings"

	"dkms-hooks/dkmsstate/shvars"
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

func newConf(as shvars.Assignments) Conf {
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
