package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// link is the symbolic link by which kernel packages run a hook of this package. The postinst
// of the package makes it once; what the administrator makes of it later stays.
type link struct {
	// path is the link, and program what it links to, both inside the root.
	path, program string
	hook          Hook
}

// links returns the links of all hooks.
func links(layout dkmsstate.Layout) []link {
	var all []link
	for _, hook := range []Hook{Postinst, HeaderPostinst, Prerm, Postrm} {
		path := filepath.Join("/etc/kernel", string(hook)+".d", "dkms")
		all = append(all, link{layout.Path(path), layout.Path(filepath.Join(programDir, string(hook))), hook})
	}
	return all
}

// linkState is what has the name of a link.
type linkState int

const (
	// linkOn is a hook that runs, by this name or by another one.
	linkOn linkState = iota
	// linkOff is a hook that the administrator has removed or replaced.
	linkOff
	// linkBroken is something that nobody means: it makes run-parts(8) fail, or is a hook of
	// dkms.
	linkBroken
	// linkRenamed is a link that dpkg-maintscript-helper(1) renamed when a new version of dkms
	// dropped its hook. It means a conffile of dkms and does not know of diversions.
	linkRenamed
)

// state returns the state of a link, and what its file is.
func (l link) state() (linkState, string) {
	target, err := os.Lstat(l.path)
	switch {
	case l.renamed():
		return linkRenamed, "dpkg renamed the link when dkms dropped its hook"
	case errors.Is(err, fs.ErrNotExist) && l.otherName():
		return linkOn, ""
	case errors.Is(err, fs.ErrNotExist):
		return linkOff, "was removed"
	case err != nil:
		return linkBroken, err.Error()
	}
	real, err := filepath.EvalSymlinks(l.path)
	switch {
	case err != nil:
		return linkBroken, "a link to nothing, at which run-parts fails, and so does a kernel package"
	case sameFile(real, l.program):
		return linkOn, ""
	case filepath.Dir(real) == filepath.Dir(l.program):
		return linkBroken, "it links to another hook of dkms-hooks"
	case isDKMSHook(l.path):
		return linkBroken, "another hook runs instead of that of dkms-hooks, and it calls dkms"
	case target.Mode().IsRegular() && !runs(l.path):
		return linkOff, "is not executable"
	}
	return linkOff, "is a file of the administrator"
}

// renamed reports whether dpkg renamed the link and nothing has its name.
func (l link) renamed() bool {
	bak, err := os.Readlink(l.path + renamedSuffix)
	return err == nil && !dkmsstate.Exists(l.path) && strings.HasSuffix(bak, filepath.Join(programDir, string(l.hook)))
}

// renamedSuffix is what dpkg-maintscript-helper(1) appends to a conffile that differs from that
// of the package, and so to a link in the place of one.
const renamedSuffix = ".dpkg-bak"

// otherName reports whether the hook runs by another name than dkms.
func (l link) otherName() bool {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(l.path), "*"))
	for _, file := range files {
		if real, err := filepath.EvalSymlinks(file); err == nil && runs(file) && sameFile(real, l.program) {
			return true
		}
	}
	return false
}

// restore gives a renamed link its name back. The diverted hook of dkms is what dpkg meant to
// rename.
func (l link) restore() error {
	if err := os.Rename(l.path+renamedSuffix, l.path); err != nil {
		return fmt.Errorf("cannot restore the link of a hook: %w", err)
	}
	err := os.Rename(l.path+".stock", l.path+renamedSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot rename the diverted hook of dkms: %w", err)
	}
	return nil
}

// command returns the command that makes the link.
func (l link) command() string {
	return fmt.Sprintf("ln -sfn ../../..%s/%s %s", programDir, l.hook, l.path)
}

// isDKMSHook reports whether a file is a hook that calls dkms, and not by this package.
func isDKMSHook(path string) bool {
	data, err := regular.ReadFile(path)
	return err == nil && runs(path) && bytes.Contains(data, []byte("dkms")) && !bytes.Contains(data, []byte(programDir))
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

// restoreLinks gives every renamed link its name back, reports it, and reports whether there
// was one.
func restoreLinks(layout dkmsstate.Layout, report *Report) bool {
	found := false
	for _, l := range links(layout) {
		if !l.renamed() {
			continue
		}
		found = true
		if err := l.restore(); err != nil {
			report.warnf("%v", err)
			continue
		}
		report.infof("restored %s, which dpkg renamed when dkms dropped its hook", l.path)
	}
	return found
}
