package hooks

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// programDir is where the package has its programs.
const programDir = "/usr/libexec/dkms-hooks"

// hooks finds hooks of this package that do not run, and hooks of dkms that run beside them:
// after dkms was installed by its own Makefile, a backup was restored, or dpkg renamed a link
// that dkms had as a conffile. What the administrator has put in the place of a link is
// a hook that is off. Where the package is not installed there is nothing to find.
func (a *assessor) hooks() {
	for _, hook := range a.sys.config.Disable {
		a.o.HooksOff = append(a.o.HooksOff, fmt.Sprintf("%s: Disable in the configuration names it", hook))
	}
	if !dkmsstate.Exists(a.sys.layout.Path(programDir)) {
		return
	}
	if a.removalInterrupted() {
		a.add(Finding{Kind: BadHook, File: a.sys.layout.Path("/etc/kernel"), Reason: "a removal of dkms-hooks was interrupted, and no hook of it or of dkms runs",
			Fix: a.inv.Command("dpkg -r dkms-hooks") + ", or install it again"})
		return
	}
	stock := map[string]diverted{}
	for _, name := range stockHooks() {
		stock[a.sys.layout.Path(name)] = a.stock(name)
	}
	own := map[string]bool{}
	for _, l := range links(a.sys.layout) {
		own[l.path] = true
		a.link(l, stock[l.path].is)
	}
	for _, name := range stockHooks() {
		path := a.sys.layout.Path(name)
		a.beside(path, stock[path].to, own[path])
	}
}

// removalInterrupted reports whether the prerm of this package has removed the links of the hooks,
// and nothing followed: neither the postrm nor an installation.
func (a *assessor) removalInterrupted() bool {
	db, err := a.inv.database()
	if err != nil {
		return false
	}
	p := thisPackage(db)
	notes, err := regular.ReadFile(a.sys.layout.Path(linkNotes))
	return err == nil && p.Status.State == debpkg.HalfConfigured && p.Status.SelectedForRemoval() && bytes.Contains(append([]byte("\n"), notes...), []byte("\nunlinked "))
}

// thisPackage returns the package of the hooks as dpkg knows it, a zero value if it does not.
func thisPackage(db *debpkg.Database) debpkg.Package {
	p, _ := db.Lookup("dkms-hooks", "")
	return p
}

// linkNotes is where the maintainer scripts note what they did with the links.
const linkNotes = dkmsstate.StateDir + "/links"

// link finds a hook that does not run as the package has it. The advice about a diversion has to
// come first: until then dpkg takes the link for a file of dkms.
func (a *assessor) link(l link, diverted bool) {
	if a.altered(l) {
		a.add(Finding{Kind: BadHook, File: l.program, Reason: "not as in the package, as after something was written to " + l.path,
			Fix: a.reinstallCommand()})
	}
	off := func(text, command string) {
		a.o.HooksOff = append(a.o.HooksOff, fmt.Sprintf("%s: %s %s; to switch it on: %s", l.hook, l.path, text, command))
	}
	switch state, text := l.state(); state {
	case linkRenamed, linkDangling:
		a.add(Finding{Kind: BadHook, File: l.path, Reason: text, Fix: a.inv.Command(reconcileCommand), Repairable: true})
	case linkBroken:
		fix := l.command(diverted)
		if !dkmsstate.Exists(l.program) && l.ours() {
			fix = a.reinstallCommand()
		}
		a.add(Finding{Kind: BadHook, File: l.path, Reason: text, Fix: fix})
	case linkOff:
		off(text, l.command(diverted))
	case linkNotExecutable:
		off(text, "chmod +x "+quoted(l.program))
	}
}

// reinstallCommand returns what puts every file of this package back. apt cannot if no repository has
// the package.
func (a *assessor) reinstallCommand() string {
	return fmt.Sprintf("%s # or %s with its .deb", a.inv.Command("apt reinstall dkms-hooks"), a.inv.Command("dpkg -i"))
}

// altered reports whether a hook is certainly not the file that the package has (dpkg --verify).
func (a *assessor) altered(l link) bool {
	db, err := a.inv.database()
	if err != nil {
		return false
	}
	name := filepath.Join(programDir, string(l.hook))
	p := thisPackage(db)
	if to, err := db.DivertedTo(name); p.Status.State != debpkg.Installed || err != nil || to != "" {
		return false
	}
	want := db.MD5(p.Name, name)
	data, err := regular.ReadFile(l.program)
	return err == nil && want != "" && fmt.Sprintf("%x", md5.Sum(data)) != want
}

// stockHooks returns the paths at which kernel packages find the hooks of dkms. Debian 13 runs
// those below /usr/share, too. preinst.d has no hook of this package.
func stockHooks() []string {
	var paths []string
	for _, top := range []string{"/etc/kernel", "/usr/share/kernel"} {
		for _, hook := range []Hook{"preinst", Postinst, HeaderPostinst, Prerm, Postrm} {
			paths = append(paths, filepath.Join(top, string(hook)+".d", "dkms"))
		}
	}
	return paths
}

// diverted is where the hook of dkms of some name is, and whether a diversion has it there.
type diverted struct {
	to string
	is bool
}

// stock returns where the hook of dkms of that name is. A hook that nothing diverts is a
// finding: the next version of dkms would install its own there.
func (a *assessor) stock(name string) diverted {
	path := a.sys.layout.Path(name)
	db, err := a.inv.database()
	if err != nil {
		return diverted{path + ".stock", true}
	}
	to, err := db.DivertedTo(name)
	if to != "" {
		return diverted{a.sys.layout.Path(to), true}
	}
	if info, statErr := os.Lstat(path); statErr == nil && info.IsDir() {
		return diverted{path + ".stock", false} // dpkg diverts no directory
	}
	if err == nil && thisPackage(db).Status.State == debpkg.Installed {
		a.add(Finding{Kind: BadHook, File: path, Reason: "not diverted, so the next version of dkms installs its hook there",
			Fix: a.inv.Command(fmt.Sprintf("dpkg-divert --package dkms-hooks --no-rename --divert %s.stock %s", name, name))})
	}
	return diverted{path + ".stock", err != nil}
}

// beside finds hooks of dkms that run-parts(8) runs: one with the name of theirs, a copy of the
// diverted one, and what calls dkms as a hook of any version does. Another program is the
// administrator's. own reports whether this package has the name.
func (a *assessor) beside(path, stock string, own bool) {
	diverted, _ := regular.ReadFile(stock)
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	for _, file := range files {
		if own && file == path {
			continue
		}
		data, _ := regular.ReadFile(file)
		if !isDKMSHook(file) || file != path && !bytes.Equal(data, diverted) && !callsAsHook(data) {
			continue
		}
		fix := "chmod -x " + quoted(file)
		if target, err := os.Readlink(file); err == nil { // chmod(1) would change what it links to
			fix = fmt.Sprintf("rm %s # a link to %s", quoted(file), target)
		}
		a.add(Finding{Kind: BadHook, File: file, Reason: "a hook of dkms runs beside those of dkms-hooks", Fix: fix})
	}
}

// callsAsHook reports whether a script calls dkms as the hooks of its versions do: the actions for
// hooks (dkms 3.1 and later), and before these dkms_autoinstaller and dkms remove. All of them
// take modules off kernels that stay, or build what the hooks of this package build.
func callsAsHook(script []byte) bool {
	return regexp.MustCompile(`(?m)^[^#\n]*\bdkms(_autoinstaller\b|\s+(kernel_(preinst|postinst|prerm)|remove|unbuild|uninstall)\b)`).Match(script)
}

// runs reports whether run-parts(8) runs a file: its name consists of letters, digits, dashes
// and underscores, and it is executable.
func runs(file string) bool { return runsAs(file, file) }

// runsAs reports whether run-parts(8) runs a file by a name.
func runsAs(name, file string) bool {
	info, err := os.Stat(file)
	return err == nil && dkmsstate.RunPartsName(filepath.Base(name)) && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
