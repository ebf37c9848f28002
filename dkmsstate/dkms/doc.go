// Package dkms calls dkms(8), depmod(8) and the tools that generate an initramfs.
//
// A program runs in a process group of its own, with the system's directories first in PATH and
// /dev/null as stdin, for no longer than its time limit. Everything that it started is ended at the
// limit, and what a build started when it ends. The error (CallError) contains the end of its
// output, and a log the whole output.
//
// Engine has no method for `dkms remove`, which would unregister a module.
package dkms
