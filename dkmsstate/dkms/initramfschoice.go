package dkms

import (
	"path/filepath"
	"regexp"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/shvars"
)

// InitramfsByDirectory reports whether an initramfs certainly contains modules for their directory
// below that of the kernel. With MODULES=list and MODULES=dep, initramfs-tools chooses them by name
// (initramfs.conf(5)).
func InitramfsByDirectory(l dkmsstate.Layout) bool {
	if !dkmsstate.Exists(l.Path("/usr/sbin/mkinitramfs")) {
		return true
	}
	modules, known := initramfsConf(l).Value("MODULES")
	return known && modules != "list" && modules != "dep"
}

// updateConf is the configuration of update-initramfs(8).
const updateConf = "/etc/initramfs-tools/update-initramfs.conf"

// NoUpdate is the setting of NeverUpdatesInitramfs.
const NoUpdate = "update_initramfs=no in " + updateConf

// NeverUpdatesInitramfs reports whether the administrator tells update-initramfs(8) of initramfs-tools
// to update none (update-initramfs.conf(5)). It still makes one with -c.
func NeverUpdatesInitramfs(l dkmsstate.Layout) bool {
	if !dkmsstate.Exists(l.Path("/usr/sbin/mkinitramfs")) {
		return false
	}
	as, _, err := shvars.Assignments{}.SourceIfThere(l.Path(updateConf))
	value, known := as.Value("update_initramfs")
	return err == nil && known && value == "no"
}

// initramfsConf returns the assignments of the files that mkinitramfs(8) reads, in its order.
func initramfsConf(l dkmsstate.Layout) shvars.Assignments {
	files := []string{l.Path("/etc/initramfs-tools/initramfs.conf")}
	named := regexp.MustCompile(`^[[:alnum:]][[:alnum:]._-]*$`)
	for _, dir := range []string{"/usr/share/initramfs-tools/conf.d", "/etc/initramfs-tools/conf.d"} {
		found, _ := filepath.Glob(filepath.Join(l.Path(dir), "*"))
		for _, file := range found {
			if name := filepath.Base(file); named.MatchString(name) && !strings.Contains(name, ".dpkg-") {
				files = append(files, file)
			}
		}
	}
	var as shvars.Assignments
	for _, file := range files {
		after, _, err := as.SourceIfThere(file)
		if err != nil {
			return shvars.Opaque()
		}
		as = after
	}
	return as
}
