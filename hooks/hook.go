// Package hooks decides what a kernel hook of DKMS does, prints the reason, and does it.
//
// A hook is a program that run-parts(8) runs from /etc/kernel/HOOK.d. Its argument is the
// kernel release. A maintainer script that follows the Debian Kernel Handbook (8.1) also passes
// its own arguments, in DEB_MAINT_PARAMS: they name what dpkg is doing. dpkg's database shows
// what dpkg is doing, too. Decide compares the two: builds are removed only if both agree that
// the kernel is removed.
package hooks

import (
	"fmt"

	"dkms-hooks/debpkg"
)

// Hook is one of the programs, named after its directory without ".d".
type Hook string

// The hooks of kernel packages in which DKMS takes part.
const (
	Postinst       Hook = "postinst"
	HeaderPostinst Hook = "header_postinst"
	Prerm          Hook = "prerm"
	Postrm         Hook = "postrm"
	// Reconciler is no hook of a kernel package: dpkg's trigger or a person runs it.
	Reconciler Hook = "reconcile"
)

// Version is the version of this program. A test compares it with debian/changelog.
const Version = "0.1.0"

// Script returns the name of the maintainer script that runs the hook in Debian's kernel
// packages, and the action that the script is usually called with.
func (h Hook) Script() (name string, action debpkg.Action) {
	switch h {
	case Prerm, Postrm:
		return string(h), debpkg.ParseAction(string(debpkg.Remove))
	}
	return "postinst", debpkg.ParseAction(string(debpkg.Configure))
}

// ParseHook returns the hook of that name.
func ParseHook(name string) (Hook, error) {
	switch h := Hook(name); h {
	case Postinst, HeaderPostinst, Prerm, Postrm:
		return h, nil
	}
	return "", fmt.Errorf("unknown hook %q; the hooks are %s, %s, %s and %s", name, Postinst, HeaderPostinst, Prerm, Postrm)
}

// HookOf returns the hook that the program is run as, with the arguments of Main, and reports
// whether there is one. The script of a hook passes the word hook and its name first
// (debian/hook).
func HookOf(args []string) (Hook, []string, bool) {
	const before = 2
	if len(args) <= before || args[1] != "hook" {
		return "", nil, false
	}
	hook, err := ParseHook(args[before])
	return hook, args[before:], err == nil
}
