package dkmsstate

import (
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/shvars"
)

// Conf is what the hooks need of a module's dkms.conf. dkms(8) reads the file by sourcing it.
// Here it is only parsed. Where that does not show a value, everything that depends on it is
// left to dkms.
type Conf struct {
	// Autoinstall reports whether dkms may install this module for a kernel unasked.
	// AutoinstallUnknown reports whether only dkms can find that out. Autoinstall is then what
	// dkms answered when it was last asked.
	Autoinstall, AutoinstallUnknown bool
	// Depends are the module names of BUILD_DEPENDS. DependsUnknown reports whether only dkms
	// can find them out. If Answered is set, Depends are then what dkms answered when it was
	// last asked.
	Depends                  []string
	DependsUnknown, Answered bool
	// Names are the names of the module's files, without .ko, and others that they may have
	// (DEST_MODULE_NAME, BUILT_MODULE_NAME, PACKAGE_NAME).
	Names []string
	// OwnSteps reports whether uninstalling may run a script of the module (POST_REMOVE).
	OwnSteps bool
	// InstallSteps reports whether installing may run a script of the module (PRE_INSTALL,
	// POST_INSTALL), or depends on the kernel's release (OBSOLETE_BY).
	InstallSteps bool
	// ModprobeConf reports whether installing may add lines to a file of modprobe.d(5), or change some
	// (MODULES_CONF), where dkms does so (Layout.WritesModprobeConf).
	ModprobeConf bool
	// RemakesInitramfs reports whether the initramfs is to be made when the module is installed
	// (REMAKE_INITRD), where dkms does so (Layout.RemakesInitramfs).
	RemakesInitramfs bool
	// RebuiltWith reports whether installing one of Depends may rebuild this module
	// (BUILD_DEPENDS_REBUILD). It is false for a file that does not mention this variable, even
	// if nothing is known of that file.
	RebuiltWith bool
	// Excluded reports whether its BUILD_EXCLUSIVE_KERNEL or BUILD_EXCLUSIVE_ARCH certainly
	// excludes the kernel. If it does not, dkms may still exclude it.
	Excluded bool
}

func newConf(as shvars.Assignments, kernel Release, arch string) Conf {
	c := Conf{
		Excluded:     excluded(as, kernel, arch),
		RebuiltWith:  as.MayBeSet("BUILD_DEPENDS_REBUILD") && as.Mentions("BUILD_DEPENDS_REBUILD"),
		OwnSteps:     as.MayBeSet("POST_REMOVE"),
		ModprobeConf: slices.ContainsFunc([]string{"MODULES_CONF", "MODULES_CONF_ALIAS_TYPE", "MODULES_CONF_OBSOLETES"}, anyElement(as)),
		InstallSteps: as.MayBeSet("PRE_INSTALL") || as.MayBeSet("POST_INSTALL") || as.MayBeSet("OBSOLETE_BY"),
	}
	for _, variable := range []string{"DEST_MODULE_NAME", "BUILT_MODULE_NAME", "PACKAGE_NAME"} {
		names, _ := as.Elements(variable)
		c.Names = append(c.Names, names...)
	}
	remakes, _ := as.Value("REMAKE_INITRD")
	c.RemakesInitramfs = strings.HasPrefix(strings.ToLower(remakes), "y")
	value, known := as.Value("AUTOINSTALL")
	c.Autoinstall, c.AutoinstallUnknown = known && yes(value), !known
	depends, known := as.Elements("BUILD_DEPENDS")
	for _, value := range depends {
		c.Depends = append(c.Depends, strings.Fields(value)...)
	}
	c.DependsUnknown = !known
	return c
}

// anyElement returns a function that reports whether any element of an array may be other than empty.
func anyElement(as shvars.Assignments) func(name string) bool {
	return func(name string) bool {
		values, known := as.Elements(name)
		return !known || slices.ContainsFunc(values, func(value string) bool { return value != "" })
	}
}

// NeedsUnknown reports whether neither the dkms.conf nor dkms has shown what the module needs.
func (c Conf) NeedsUnknown() bool { return c.DependsUnknown && !c.Answered }

// yes interprets a switch as dkms does: 3.2 knows yes and no in any case, older versions take
// every word for yes.
func yes(value string) bool { return value != "" && !strings.EqualFold(value, "no") }

// excluded reports whether a dkms.conf certainly excludes a kernel. Patterns that shells and Go
// may understand differently prove nothing, nor do those of a package with several modules, of
// which dkms 3.3 excludes each for itself.
func excluded(as shvars.Assignments, kernel Release, arch string) bool {
	if modules, known := as.Elements("BUILT_MODULE_NAME"); !known || len(modules) > 1 {
		return false
	}
	simple := regexp.MustCompile(`^([A-Za-z0-9._^$|()*+?-]|\\[.+]|\[[A-Za-z0-9.^-]+\])+$`)
	for variable, value := range map[string]string{"BUILD_EXCLUSIVE_KERNEL": string(kernel), "BUILD_EXCLUSIVE_ARCH": arch} {
		pattern, known := as.Value(variable)
		if !known || !simple.MatchString(pattern) {
			continue
		}
		if r, err := regexp.CompilePOSIX(pattern); err == nil && !r.MatchString(value) {
			return true
		}
	}
	return false
}
