// Package hooks decides what a kernel hook of DKMS does, says why, and does it.
//
// A hook is a program that run-parts(8) finds in /etc/kernel/HOOK.d. It is told
// the kernel release as its argument and, by a maintainer script that follows
// the Debian Kernel Handbook (8.1), what dpkg is doing in DEB_MAINT_PARAMS. What
// dpkg itself is up to stands in its database. Decide looks at both: builds are
// removed only when the two agree that the kernel goes.
package hooks

import (
	"fmt"
	"path/filepath"
	"strings"

	"dkms-hooks/debpkg"
)

// Hook is one of the programs, named after the directory that it stands in.
type Hook string

// The hooks of a kernel package that DKMS takes part in.
const (
	Postinst       Hook = "postinst"
	HeaderPostinst Hook = "header_postinst"
	Prerm          Hook = "prerm"
	Postrm         Hook = "postrm"
	// Reconciler stands for no hook: dpkg's trigger, or a person.
	Reconciler Hook = "reconcile"
)

// Version is this program's; a test holds it to debian/changelog.
const Version = "0.1.0"

// Script returns the maintainer script that runs the hook, as it stands in Debian's
// kernel packages, and the action that it is called with when nothing out of the
// ordinary happens.
func (h Hook) Script() (name string, action debpkg.Action) {
	switch h {
	case Prerm, Postrm:
		return string(h), debpkg.ParseAction(string(debpkg.Remove))
	}
	return "postinst", debpkg.ParseAction(string(debpkg.Configure))
}

// ParseHook reads a hook's name.
func ParseHook(name string) (Hook, error) {
	switch h := Hook(name); h {
	case Postinst, HeaderPostinst, Prerm, Postrm:
		return h, nil
	}
	return "", fmt.Errorf("unknown hook %q; the hooks are %s, %s, %s and %s", name, Postinst, HeaderPostinst, Prerm, Postrm)
}

// HookOf returns the hook that a program is started as, by its path: HOOK, or any name in
// HOOK.d. It reports whether that tells. A name without a directory was found in PATH.
func HookOf(path string) (Hook, bool) {
	if hook, err := ParseHook(filepath.Base(path)); err == nil {
		return hook, true
	}
	absolute, err := filepath.Abs(path)
	if err != nil || !strings.Contains(path, "/") {
		return "", false
	}
	dir, inHookDir := strings.CutSuffix(filepath.Base(filepath.Dir(absolute)), ".d")
	if hook, err := ParseHook(dir); err == nil && inHookDir {
		return hook, true
	}
	return "", false
}
