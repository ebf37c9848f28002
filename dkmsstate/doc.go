// Package dkmsstate knows what DKMS has on a machine and how to change it.
//
// A Snapshot is read by looking at the DKMS tree and the kernel's module tree,
// never through `dkms status`, which prints nothing at all when one module's
// source is gone (dkms 3.0.10). NewPlan turns a Snapshot and a Goal into Steps
// and reads nothing itself. A Machine carries the Steps out: dkms(8) builds and
// installs, the Tree unbuilds and restores.
//
// A registration is the directory MODULE/VERSION with its `source` link. No
// code here removes one, and `dkms remove`, which does, is not in the Engine.
package dkmsstate
