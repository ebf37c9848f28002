// Package systemtest holds the tests of the hooks on real Debian systems: real
// dpkg, real dkms and real kernel headers in disposable roots of bookworm and
// trixie, the stock hooks beside ours. `make integration` runs them, as root.
//
// The environment:
//
//   - DKMS_HOOKS_DEB: the package to test (else the one in dist/);
//   - DKMS_HOOKS_ROOTS: a directory in which to keep the roots for the next run
//     (else they are made in a temporary one and removed);
//   - DKMS_HOOKS_KERNELS: a directory of real kernels made with bindeb-pkg (else
//     dist/kernels, where make kernels puts them);
//   - DKMS_HOOKS_TABLE: a file to write the table of end states to;
//   - DKMS_HOOKS_STOCKWISE: a directory to write the report of all scenarios to that
//     are compared with the stock hooks (else a part of them is played, without one);
//   - DKMS_HOOKS_PACKAGES: which of Debian's packages to compare, instead of all;
//   - DKMS_HOOKS_WALK_STEPS, DKMS_HOOKS_WALK_SEED: the random walk.
package systemtest
