package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// link is the symbolic link by which kernel packages run a hook of this package. The postinst
// of the package makes it once; what the administrator makes of it later stays.
type link struct {
	// path is the link, and program the hook that it links to, both inside the root.
	path, program string
	hook          Hook
	layout        dkmsstate.Layout
}

// links returns the links of all hooks.
func links(layout dkmsstate.Layout) []link {
	var all []link
	for _, hook := range []Hook{Postinst, HeaderPostinst, Prerm, Postrm} {
		path := filepath.Join("/etc/kernel", string(hook)+".d", "dkms")
		all = append(all, link{layout.Path(path), layout.Path(filepath.Join(programDir, string(hook))), hook, layout})
	}
	return all
}

// linkState is what has the name of a link.
type linkState int

const (
	// linkOn is a hook that runs, by this name or by another one.
	linkOn linkState = iota
	// linkOff is a hook that the administrator has removed or replaced, or whose counterpart of dkms
	// was off when this package was installed.
	linkOff
	// linkNotExecutable is a hook that the administrator has switched off with chmod(1), which
	// follows the link.
	linkNotExecutable
	// linkBroken is something that nobody means: it leads to nothing, or is a hook of dkms.
	linkBroken
	// linkDangling is a link of this package to nothing: a directory of hooks was moved, and a
	// link takes its place.
	linkDangling
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
		return linkOff, "does not exist"
	case err != nil:
		return linkBroken, err.Error()
	}
	real, err := l.follow(l.path)
	switch {
	case err != nil && l.ours() && dkmsstate.Exists(l.program):
		return linkDangling, danglingText
	case err != nil:
		return linkBroken, danglingText
	case sameFile(real, l.program) && !runs(real):
		return linkNotExecutable, "links to a hook that is not executable"
	case sameFile(real, l.program) || target.Mode().IsRegular() && runs(real) && (sameContents(real, l.program) || l.called(real)):
		return linkOn, ""
	case filepath.Dir(real) == filepath.Dir(l.program):
		return linkBroken, "it links to another program of dkms-hooks"
	case isDKMSHook(l.path):
		return linkBroken, "another hook runs instead of that of dkms-hooks, and it calls dkms"
	case target.Mode().IsRegular() && !runs(l.path):
		return linkOff, "is not executable"
	}
	return linkOff, "is a file of the administrator"
}

// danglingText describes both: run-parts(8) of Debian 12 fails, and later ones skip the link.
const danglingText = "a link to nothing: the hook does not run, or run-parts and the kernel package fail"

// follow returns the file to which a path leads. A link of this package may be absolute, and
// leads to a file in the same root.
func (l link) follow(path string) (string, error) {
	if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, programDir+"/") {
		path = l.layout.Path(target)
	}
	return filepath.EvalSymlinks(path)
}

// there reports whether something has a name, be it a link to nothing.
func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// ours reports whether what has the name is a link to a program of this package, or was one.
func (l link) ours() bool {
	target, err := os.Readlink(l.path)
	return err == nil && strings.HasSuffix(filepath.Dir(target), programDir)
}

// renamed reports whether dpkg renamed the link and nothing has its name.
func (l link) renamed() bool {
	bak, err := os.Readlink(l.path + renamedSuffix)
	return err == nil && !there(l.path) && strings.HasSuffix(bak, filepath.Join(programDir, string(l.hook)))
}

// renamedSuffix is what dpkg-maintscript-helper(1) appends to a conffile that differs from that
// of the package, and so to a link in the place of one.
const renamedSuffix = ".dpkg-bak"

// otherName reports whether the hook runs by another name than dkms.
func (l link) otherName() bool {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(l.path), "*"))
	for _, file := range files {
		if real, err := l.follow(file); err == nil && runsAs(file, real) && (sameFile(real, l.program) || l.called(real)) {
			return true
		}
	}
	return false
}

// called reports whether a script, such as one of the administrator, calls the hook.
func (l link) called(script string) bool {
	data, err := regular.ReadFile(script)
	return err == nil && slices.ContainsFunc(commands(data), func(line []byte) bool {
		return bytes.Contains(line, []byte(filepath.Join(programDir, string(l.hook)))) || bytes.Contains(line, []byte("dkms-hooks hook "+string(l.hook)))
	})
}

// commands returns the lines of a script without its comments.
func commands(script []byte) [][]byte {
	return slices.DeleteFunc(bytes.Split(script, []byte("\n")), func(line []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) })
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

// remake puts a link that leads to the hook in the place of one that dangles.
func (l link) remake() error {
	const suffix = ".dkms-hooks"
	_ = os.Remove(l.path + suffix) // of a run that was killed
	err := os.Symlink(l.target(), l.path+suffix)
	if err == nil {
		err = os.Rename(l.path+suffix, l.path)
	}
	if err != nil {
		return fmt.Errorf("cannot make the link of a hook: %w", err)
	}
	return nil
}

// target returns the path that the link contains. It is relative, so that it also works in a root
// seen from outside, unless the directory of the link is itself a link to one at another depth.
func (l link) target() string {
	target := filepath.Join(programDir, string(l.hook))
	dir, err := filepath.EvalSymlinks(filepath.Dir(l.path))
	if err == nil && dkmsstate.Exists(l.program) && !sameFile(filepath.Join(dir, "../../..", target), l.program) {
		return target
	}
	return filepath.Join("../../..", target)
}

// command returns the command that makes the link. It keeps what has the name of the link, which
// ln(1) would overwrite or, if it is a directory, put the link into. The hook of dkms goes where
// its diversion has it, unless it is a copy of the one that is there.
func (l link) command(diverted bool) string {
	dir := filepath.Dir(l.path)
	switch {
	case l.ours():
		return fmt.Sprintf("ln -sfn %s %s", l.target(), quoted(l.path))
	case !dkmsstate.Exists(dir):
		return fmt.Sprintf("mkdir -p %s && ln -s %s %s", quoted(dir), l.target(), quoted(l.path))
	case !there(l.path):
		return fmt.Sprintf("ln -s %s %s", l.target(), quoted(l.path))
	}
	aside := l.path + ".dpkg-old"
	if stock := l.path + ".stock"; isDKMSHook(l.path) && (!diverted || !there(stock)) {
		aside = stock
	}
	return fmt.Sprintf("mv -T --backup=numbered %[1]s %[2]s && ln -s %[3]s %[1]s", quoted(l.path), quoted(aside), l.target())
}

// isDKMSHook reports whether a file is a hook that calls dkms, and not by this package.
func isDKMSHook(path string) bool {
	data, err := regular.ReadFile(path)
	return err == nil && runs(path) && !bytes.Contains(data, []byte(programDir)) &&
		slices.ContainsFunc(commands(data), func(line []byte) bool { return bytes.Contains(line, []byte("dkms")) })
}

// sameFile reports whether two paths are those of one file.
func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// sameContents reports whether two files have the same contents, as when a program replaced a
// link by a copy of the hook.
func sameContents(a, b string) bool {
	first, err := regular.ReadFile(a)
	if err != nil {
		return false
	}
	second, err := regular.ReadFile(b)
	return err == nil && bytes.Equal(first, second)
}

// restoreLinks gives every renamed link its name back and makes every dangling one again. It
// reports this, and whether there was one.
func restoreLinks(layout dkmsstate.Layout, report *Report) bool {
	found := false
	for _, l := range links(layout) {
		restore, text := l.restore, "restored %s, which dpkg renamed when dkms dropped its hook"
		switch state, _ := l.state(); state {
		case linkRenamed:
		case linkDangling:
			restore, text = l.remake, "made %s again, a link to nothing"
		default:
			continue
		}
		found = true
		if err := restore(); err != nil {
			report.warnf("%v", err)
			continue
		}
		report.infof(text, l.path)
	}
	return found
}
