// Package dkmsstate knows what DKMS has on a machine and how to change it.
//
// A Snapshot is read by looking at the DKMS tree and the kernel's module tree,
// never through `dkms status`, which prints nothing at all when one module's
// source is gone (dkms 3.0.10). NewPlan turns a Snapshot and a Goal into Steps
// and reads nothing itself. A Machine carries the Steps out: dkms(8) builds and
// installs, the Tree unbuilds and restores.
//
// Whether a build still fits its kernel is found by Examine, from what modules and
// headers say of themselves and from the Record of what each was built from. A build
// that does not is replaced: it stands aside until the new one is known to fit, and
// comes back otherwise. Every name that a directory has meanwhile is one that the next
// run knows, so that a run may be cut off anywhere.
//
// A registration is the directory MODULE/VERSION with its `source` link. No
// code here removes one, and `dkms remove`, which does, is not in the Engine.
package dkmsstate
