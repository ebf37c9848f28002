package plan

import (
	"dkms-hooks/dkmsstate"
)

// Goal limits what a plan brings in.
type Goal struct {
	// BringIn reports whether a module that is not installed on the kernel is to be installed
	// there. If it is nil, every module is, as with the hooks of dkms. What is installed is
	// repaired in any case.
	//
	// Nothing shows whether a module that is registered, but not on a kernel, was lost or was
	// removed by an administrator (dkms unbuild, dkms uninstall, an older version that is kept
	// on purpose). Therefore only something that names this kernel brings it in.
	BringIn func(dkmsstate.Module) bool
	// Ignored reports whether the administrator does not want the module on the kernel.
	Ignored func(dkmsstate.Module) bool
	// NotMeant returns why a module is not meant for the kernel, "" if nothing shows that
	// (Snapshot.NotMeant). It then does not wait for headers. With headers dkms decides.
	NotMeant func(dkmsstate.Module) string
}

// KeepOnly returns the goal that brings in nothing.
func KeepOnly() Goal { return Goal{BringIn: func(dkmsstate.Module) bool { return false }} }

// BringsIn reports whether a module that is not installed may be installed.
func (g Goal) BringsIn(m dkmsstate.Module) bool {
	return (g.BringIn == nil || g.BringIn(m)) && !g.ignores(m)
}

func (g Goal) ignores(m dkmsstate.Module) bool { return g.Ignored != nil && g.Ignored(m) }

func (g Goal) notMeant(m dkmsstate.Module) string {
	if g.NotMeant == nil {
		return ""
	}
	return g.NotMeant(m)
}
