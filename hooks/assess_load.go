package hooks

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
)

// shadows finds what keeps modprobe from loading an installed module. A line of the administrator
// is no problem: it is reported as unusual. So is a file that is not installed since the kernel
// has the module.
func (k kernelAssessor) shadows(m dkmsstate.Module, b dkmsstate.Build) {
	for _, sh := range k.s.ShadowsOf(b) {
		switch {
		case !sh.Certain: // modules.dep is out of date
		case sh.Line.Local() || sh.Absent:
			k.unusual(m, shadowText(k.s, sh))
		default:
			k.addHere(Finding{Kind: Shadowed, Module: m.String(), Reason: shadowText(k.s, sh), Fix: k.shadowFix(sh)})
		}
	}
	for _, f := range b.Files {
		if k.compiledIn()[modprobe.ModuleName(f.Name)] && f.Copy != kmod.CopyMissing {
			k.addHere(Finding{Kind: Shadowed, Module: m.String(), Reason: compiledInText(f),
				Fix: fmt.Sprintf("if it is not needed there: Ignore: %s@%s in %s, and %s", m.Name, k.s.Kernel, k.configFile(), k.inv.Command(fmt.Sprintf("dkms uninstall %s -k %s", m, k.s.Kernel)))})
		}
	}
	for _, text := range k.modprobeTexts(b) {
		if text = m.String() + ": " + text; !slices.Contains(k.o.Unusual, text) {
			k.o.Unusual = append(k.o.Unusual, text)
		}
	}
}

// shadowText describes a file that modprobe does not load.
func shadowText(s dkmsstate.Snapshot, sh dkmsstate.Shadow) string {
	text := "depmod does not read " + s.ModulePath(sh.Path)
	if sh.By != "" {
		text = "another file is loaded in its place: " + s.ModulePath(sh.By)
	}
	switch {
	case sh.Absent:
		text += fmt.Sprintf("; %s is not in %s", path.Base(sh.Path), path.Dir(sh.Path))
	case sh.Line.Known():
		text += ", because of " + sh.Line.String()
	case sh.By != "":
		text += "; no line of depmod.d(5) decides between them"
	}
	return inOneLine(text)
}

// depmodCommand returns the command that a person runs for the kernel.
func (k kernelAssessor) depmodCommand() string {
	return k.inv.Command(fmt.Sprintf("depmod %s", k.s.Kernel))
}

// shadowFix returns what to do about a file that is loaded in the place of an installed one. A
// file of a package is not to be removed.
func (k kernelAssessor) shadowFix(sh dkmsstate.Shadow) string {
	depmod := k.depmodCommand()
	name := kmod.TrimSuffix(path.Base(sh.Path))
	// Of several overrides the last one counts.
	choose := fmt.Sprintf("to load the module of dkms: mkdir -p %[1]s && echo 'override %[2]s * %[3]s' >>%[1]s/zz-dkms.conf && %[4]s", quoted(k.s.Layout.Path("/etc/depmod.d")), name, path.Dir(sh.Path), depmod)
	file := k.s.ModulePath(sh.By)
	if db, err := k.inv.database(); err == nil && sh.By != "" {
		if whose, err := owner(db, file); err != nil || whose != "" {
			return choose
		}
	}
	remove := fmt.Sprintf("if you do not need the other file: rm %s && %s", quoted(k.sys.layout.Path(file)), depmod)
	if path.Dir(sh.By) == path.Dir(sh.Path) {
		return remove // override makes no difference
	}
	return remove + "; " + choose
}

// modprobeTexts describes the lines of modprobe.d(5) about the files of a build.
func (k kernelAssessor) modprobeTexts(b dkmsstate.Build) []string {
	var texts []string
	for _, name := range b.Names() {
		name = modprobe.ModuleName(name)
		if line, ok := k.rules().Blacklisted(name); ok {
			texts = append(texts, inOneLine(fmt.Sprintf("%s is not loaded automatically, because of %s", name, line)))
		}
		if line, ok := k.rules().Command(name); ok {
			texts = append(texts, inOneLine(fmt.Sprintf("modprobe runs a command and does not load %s, because of %s", name, line)))
		}
	}
	return texts
}

// loadText describes what keeps modprobe from loading a module, although nothing is wrong with
// it. It returns "" for nothing.
func (k kernelAssessor) loadText(m dkmsstate.Module) string {
	b, _ := k.s.Build(m, k.s.Arch)
	var texts []string
	for _, sh := range k.s.ShadowsOf(b) {
		if sh.Certain {
			texts = append(texts, shadowText(k.s, sh))
		}
	}
	return strings.Join(append(texts, k.modprobeTexts(b)...), "; ")
}
