// Package dkmsstate reads what DKMS has on a machine: which modules it knows, which kernels
// there are, and what is built and installed for each. It changes nothing and starts no
// program.
//
// A Survey reads the DKMS tree once; a Snapshot is what that tree and the module tree say of
// one kernel. Both are read from files and never through `dkms status`, which prints nothing
// at all when the source of one module is gone (dkms 3.0.10).
//
// The packages below it work with these values, along arrows that go one way:
//
//	apply ──▶ plan, fresh, signing ─────▶ dkmsstate ──▶ kmod, shvars, nofollow
//	   └────▶ dkms ──▶ record ──────────▶ dkmsstate
//
// Package fresh finds whether a build still fits its kernel, package plan says what to do,
// and package apply does it: dkms(8) builds and installs through package dkms, the rest is
// moving files.
//
// A registration is the directory MODULE/VERSION with its `source` link. No code removes
// one, and `dkms remove`, which does, is called nowhere.
package dkmsstate
