package dkmsstate

import (
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/shvars"
)

// Destination is where the dkms of a machine installs modules (dkms,
// override_dest_module_location).
type Destination struct {
	// Under is the directory, below that of a kernel, in which it installs every module. It is
	// "" if the dkms.conf of a module names the directory (DEST_MODULE_LOCATION).
	Under string
	// Unknown reports whether only dkms itself knows.
	Unknown bool
}

// InstalledUnder is the directory, below that of a kernel, in which dkms installs every module
// on Debian, Ubuntu and the systems that it takes for one of them. Nobody else installs modules
// there.
const InstalledUnder = "updates/dkms"

// readDestination finds the rule of the machine's dkms, and the name by which it knows the
// distribution. Every version has the same steps: a directory for all modules that is
// configured, or else one by the name. The name and what follows from it changed with versions;
// see naming. text is the program.
func readDestination(l Layout, text string) (distribution string, d Destination) {
	n := newNaming(text)
	name, known := n.distribution(l)
	if !known {
		name, d = "", Destination{Unknown: true}
	} else {
		d = n.destination(name)
	}
	if under, known := addonModules(l); under != "" || !known {
		d = Destination{Under: under, Unknown: !known}
	}
	return name, d
}

// addonModules returns ADDON_MODULES_DIR of /etc/sysconfig/module-init-tools, which dkms
// prefers to the name of the distribution, and reports whether it is known. The variable of the
// environment does not reach dkms.
func addonModules(l Layout) (under string, known bool) {
	as, _, err := shvars.Assignments{}.SourceIfThere(l.NoFollow().Inside("/etc/sysconfig/module-init-tools"))
	value, known := as.Value("ADDON_MODULES_DIR")
	if err != nil || !known || value == "" {
		return "", known && err == nil
	}
	return relative(value), true
}

// relative returns a directory as a path below that of a kernel.
func relative(dir string) string { return strings.TrimPrefix(filepath.Clean("/"+dir), "/") }

// naming is how a version of dkms finds the name of the distribution.
type naming struct {
	// osRelease are the files of os-release(5) that it reads. The first one that exists counts.
	// There are none in dkms 2.8.7 and older, which read lsb-release.
	osRelease []string
	// asksLSB reports whether it reads lsb-release where there is none of them.
	asksLSB bool
	// ubuntuFirst reports whether Ubuntu is known by its ID (from 3.0.7).
	ubuntuFirst bool
	// likeOnly reports whether ID counts for nothing: a test of dkms 2.8.8 to 3.0.1 for
	// ID_LIKE is always true.
	likeOnly bool
}

// newNaming recognises the way of a dkms in its text. It returns the way of recent versions if
// there is no text.
func newNaming(text string) naming {
	files := []string{"/etc/os-release", "/usr/lib/os-release"}
	if text == "" {
		return naming{osRelease: files, ubuntuFirst: true}
	}
	n := naming{
		asksLSB:     strings.Contains(text, "/etc/lsb-release"),
		ubuntuFirst: strings.Contains(text, `"$ID" = "ubuntu"`),
		likeOnly:    strings.Contains(text, "[[ ${#ID_LIKE[@]} ]]"),
	}
	for _, file := range files {
		if strings.Contains(text, file) {
			n.osRelease = append(n.osRelease, file)
		}
	}
	return n
}

// dkmsText returns the text of the first dkms in SystemPath that chooses where to install. A
// wrapper around dkms does not.
func dkmsText(l Layout) string {
	for _, dir := range filepath.SplitList(SystemPath) {
		text, err := regular.ReadFile(l.NoFollow().Inside(dir + "/dkms"))
		if err == nil && strings.Contains(string(text), "override_dest_module_location") {
			return string(text)
		}
	}
	return ""
}

// distribution returns the name by which dkms knows the distribution, and reports whether it is
// known.
func (n naming) distribution(l Layout) (string, bool) {
	if len(n.osRelease) == 0 {
		return lsbDistribution(l)
	}
	for _, file := range n.osRelease {
		if file = l.NoFollow().Inside(file); Exists(file) {
			return n.osReleaseName(file)
		}
	}
	// A dkms that looks no further does nothing at all here. What is installed is from before.
	return "debian", !n.asksLSB
}

// osReleaseName returns the name that an os-release file gives: ID_LIKE as a whole where it is
// set, even if it is empty, and else ID. A dkms that reads lsb-release knows only ID.
func (n naming) osReleaseName(file string) (string, bool) {
	as, trouble, err := shvars.Assignments{}.Source(file)
	id, idKnown := as.Value("ID")
	like, likeKnown := as.Value("ID_LIKE")
	if trouble != nil || err != nil || !idKnown || !likeKnown {
		return "", false
	}
	switch {
	case n.likeOnly:
		return like, true
	case len(n.osRelease) > 0 && as.Assigned("ID_LIKE") && !(n.ubuntuFirst && id == "ubuntu"):
		return like, true
	}
	return id, true
}

// lsbDistribution returns the name that dkms 2.8 makes of /etc/lsb-release or of lsb_release(1).
func lsbDistribution(l Layout) (string, bool) {
	file := l.NoFollow().Inside("/etc/lsb-release")
	if !Exists(file) {
		return lsbReleaseAnswer(l)
	}
	as, trouble, err := shvars.Assignments{}.Source(file)
	id, idKnown := as.Value("DISTRIB_ID")
	release, releaseKnown := as.Value("DISTRIB_RELEASE")
	if trouble != nil || err != nil || !idKnown || !releaseKnown || id == "" || release == "" {
		return "", false // it may ask rpm
	}
	return id + release, true
}

// lsbReleaseAnswer returns what lsb_release(1) prints as the name, if that is certain: ID of
// os-release with a capital letter. dkms adds the version. Without that program and without
// rpm(8) dkms calls the system "unknown".
func lsbReleaseAnswer(l Layout) (string, bool) {
	if !l.hasProgram("lsb_release") {
		return "unknown", !l.hasProgram("rpm")
	}
	id, known := naming{}.osReleaseName(l.NoFollow().Inside("/etc/os-release"))
	other, otherKnown := naming{}.osReleaseName(l.NoFollow().Inside("/usr/lib/os-release"))
	if !known || !otherKnown || id != other || id == "" {
		return "", false
	}
	capital := strings.ToUpper(id[:1]) + id[1:]
	return capital, (naming{}).destination(id) == Destination{} // versions of it disagree on the letter
}

// hasProgram reports whether dkms 2.8, which has a PATH of its own, finds a program.
func (l Layout) hasProgram(name string) bool {
	return slices.ContainsFunc([]string{"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib/dkms"}, func(dir string) bool {
		return Exists(l.NoFollow().Inside(dir + "/" + name))
	})
}

// destination returns where dkms installs on the distribution of this name. dkms compares the
// beginning of the name, so that it takes elementary OS for Red Hat's EL in version 2.8.
func (n naming) destination(name string) Destination {
	type row struct {
		prefix string
		Destination
	}
	rows := []row{
		{"fedora", Destination{Under: "extra"}}, {"rhel", Destination{Under: "extra"}},
		{"sles", Destination{Under: "updates"}}, {"suse", Destination{Under: "updates"}}, {"opensuse", Destination{Under: "updates"}},
		{"debian", Destination{Under: InstalledUnder}}, {"ubuntu", Destination{Under: InstalledUnder}}, {"arch", Destination{Under: InstalledUnder}},
		{"ovm", Destination{Unknown: true}}, {"centos", Destination{Unknown: true}}, // by version
	}
	if len(n.osRelease) == 0 {
		rows = []row{
			{"fc", Destination{Under: "extra"}}, {"el", Destination{Under: "extra"}}, {"ovm", Destination{Under: "extra"}},
			{"Ubuntu", Destination{Under: InstalledUnder}}, {"Debian", Destination{Under: InstalledUnder}},
			{"sles", Destination{Unknown: true}}, {"suse", Destination{Unknown: true}}, // by release
			{"Fedora", Destination{Unknown: true}}, {"RedHatEnterprise", Destination{Unknown: true}}, // renamed first
			{"CentOS", Destination{Unknown: true}}, {"ScientificSL", Destination{Unknown: true}}, {"SUSE", Destination{Unknown: true}},
		}
	}
	for _, r := range rows {
		if strings.HasPrefix(name, r.prefix) {
			return r.Destination
		}
	}
	return Destination{}
}
