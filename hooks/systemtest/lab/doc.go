// Package lab makes disposable Debian systems with the scripts of testdata/lab: roots with
// real dpkg and dkms, forks of them as overlays, packages of kernels, and scripts that run
// inside. The system tests and the benchmark share it. It needs root.
package lab
