// Package dkmsstate reads the state of DKMS on a machine: which modules are registered, which
// kernels there are, and what is built and installed for each of them. It changes nothing and
// starts no program.
//
// A Survey is read from the DKMS tree. A Snapshot is taken from a Survey and the module tree
// for one kernel. Both are read from files and never through `dkms status`, which prints
// nothing at all when the source of one module is missing (dkms 3.0.10).
//
// The packages below it work with these values. Their imports go one way:
//
//	apply ──▶ plan, fresh, signing ─────▶ dkmsstate ──▶ kmod, shvars, nofollow
//	   └────▶ dkms ──▶ record ──────────▶ dkmsstate
//
// Package fresh determines whether a build still fits its kernel. Package plan decides what to
// do. Package apply does it: dkms(8) builds and installs through package dkms, the rest is
// moving files.
//
// A registration is the directory MODULE/VERSION with its `source` link. No code removes one,
// and `dkms remove`, which does, is called nowhere.
package dkmsstate
