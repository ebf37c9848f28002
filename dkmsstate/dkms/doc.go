// Package dkms calls dkms(8), depmod(8) and the tools that make an initramfs.
//
// A program runs in a process group of its own, with a fixed PATH and nothing on stdin, for
// no longer than its limit. When it ends, everything that it started is ended too. What it
// printed last is in the error (CallError), and the whole in a log.
//
// `dkms remove` is no method of an Engine: it would unregister a module.
package dkms
