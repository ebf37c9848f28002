package hooks

import (
	"fmt"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
)

// programDir is where the package has its programs.
const programDir = "/usr/libexec/dkms-hooks"

// hooks finds hooks of this package that do not run, and hooks of dkms that run beside them:
// after dkms was installed by its own Makefile, a backup was restored, or dpkg removed a link
// that dkms had as a conffile. Where the package is not installed there is nothing to find.
func (a *assessor) hooks() {
	layout := a.sys.layout
	if !dkmsstate.Exists(layout.Path(programDir)) {
		return
	}
	for _, hook := range []Hook{Postinst, HeaderPostinst, Prerm, Postrm} {
		path := layout.Path(filepath.Join("/etc/kernel", string(hook)+".d", "dkms"))
		target := layout.Path(filepath.Join(programDir, string(hook)))
		switch real, err := filepath.EvalSymlinks(path); {
		case os.IsNotExist(err):
			a.hook(path, "the hook is missing")
		case err != nil:
			a.hook(path, err.Error())
		case !sameFile(real, target):
			a.hook(path, "it is not the hook of dkms-hooks, which does not run")
		}
	}
	for _, name := range []string{"/etc/kernel/preinst.d/dkms", "/usr/share/kernel/*.d/dkms", "/usr/lib/kernel/*.d/dkms"} {
		found, _ := filepath.Glob(layout.Path(name))
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				a.add(Finding{Kind: BadHook, File: path, Reason: "a hook of dkms runs beside those of dkms-hooks", Fix: fmt.Sprintf("chmod -x %s", path)})
			}
		}
	}
}

func (a *assessor) hook(path, text string) {
	a.add(Finding{Kind: BadHook, File: path, Reason: text, Fix: "reinstall the package dkms-hooks"})
}

// sameFile reports whether two paths are those of one file, by one name: the hooks are names of
// one program, which does what it is called.
func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second) && filepath.Base(a) == filepath.Base(b)
}
