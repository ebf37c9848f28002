package plan

import (
	"dkms-hooks/dkmsstate"
)

// Goal is how far a plan goes.
type Goal struct {
	// BringIn reports whether a module that is not installed on the kernel is to be
	// installed there; nil stands for every module, as for the hooks of dkms. What is installed is kept in order whatever this says.
	//
	// Nobody can tell whether a module that is registered, and not on a kernel, was lost
	// or taken off by an administrator (dkms unbuild, dkms uninstall, an older version
	// that is kept on purpose). Only what names this kernel brings it in.
	BringIn func(dkmsstate.Module) bool
	// Ignored reports whether the administrator does not want the module on the kernel.
	Ignored func(dkmsstate.Module) bool
}

// KeepOnly is the goal that brings in nothing.
func KeepOnly() Goal { return Goal{BringIn: func(dkmsstate.Module) bool { return false }} }

// BringsIn reports whether a module that is not installed may be installed.
func (g Goal) BringsIn(m dkmsstate.Module) bool {
	return (g.BringIn == nil || g.BringIn(m)) && !g.ignores(m)
}

func (g Goal) ignores(m dkmsstate.Module) bool { return g.Ignored != nil && g.Ignored(m) }
