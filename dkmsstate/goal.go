package dkmsstate

import (
	"slices"

	"dkms-hooks/dkmsstate/kmod"
)

// Goal is how far a plan goes.
type Goal struct {
	// BringIn reports whether a module that is not installed on the kernel is to be
	// installed there; nil stands for every module, as for the hooks of dkms. What is installed is kept in order whatever this says.
	//
	// Nobody can tell whether a module that is registered, and not on a kernel, was lost
	// or taken off by an administrator (dkms unbuild, dkms uninstall, an older version
	// that is kept on purpose). Only what names this kernel brings it in.
	BringIn func(Module) bool
	// Ignored reports whether the administrator does not want the module on the kernel.
	Ignored func(Module) bool
}

// KeepOnly is the goal that brings in nothing.
func KeepOnly() Goal { return Goal{BringIn: func(Module) bool { return false }} }

// bringsIn reports whether a module that is not installed may be installed.
func (g Goal) bringsIn(m Module) bool { return (g.BringIn == nil || g.BringIn(m)) && !g.ignores(m) }

func (g Goal) ignores(m Module) bool { return g.Ignored != nil && g.Ignored(m) }

// lost reports whether only the kernel link of a build is gone: dkms uninstall removes
// the installed files with it.
func (b Build) lost(link Link) bool {
	same := slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy == kmod.CopySame })
	other := slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy != kmod.CopySame && f.Copy != kmod.CopyMissing })
	return b.Complete() && link.Version == "" && same && !other
}
