// Package dkmsstate finds what DKMS has on a machine, plans what to change, and changes it.
//
// A Survey reads the DKMS tree once; a Snapshot is what it and the module tree say of one
// kernel. Both are read from files and never through `dkms status`, which prints nothing at
// all when the source of one module is gone (dkms 3.0.10). PlanAutoinstall and PlanUnbuild
// turn a Snapshot into a Plan and read nothing. A Machine carries the plan out: dkms(8)
// builds and installs by an Engine, and a Tree removes and restores files.
//
// Examine finds whether a build still fits its kernel, from what modules and headers say
// and from the Record of what each was built from. A build that does not fit is kept until
// the new one is verified, and restored otherwise. Every name that a directory has
// meanwhile is known to the next run, so that a run may be interrupted anywhere.
//
// A registration is the directory MODULE/VERSION with its `source` link. No code removes
// one, and `dkms remove`, which does, is not in the Engine.
package dkmsstate
