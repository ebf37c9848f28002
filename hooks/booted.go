package hooks

import (
	"os"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
)

// origin is whether a layout is that of the booted system.
type origin int

const (
	originUnknown origin = iota
	notBooted
	booted
)

// readOrigin returns whether the layout is that of the booted system: the first process has the
// same root directory, and the running kernel is installed in it. Only root may look at that
// directory. The running kernel may be gone, and a container without the usual marks has none.
func readOrigin(layout dkmsstate.Layout) origin {
	if layout.Root != "/" || bootloader.Contained(layout) {
		return notBooted
	}
	own, err := os.Stat("/")
	if err != nil {
		return originUnknown
	}
	first, err := os.Stat("/proc/1/root/")
	return originOf(err == nil, err == nil && os.SameFile(own, first), layout.KernelThere(layout.Running))
}

// originOf returns it for a layout that is "/": whether the root of the first process is known, and
// is the same, and whether the running kernel is installed.
func originOf(known, same, kernel bool) origin {
	switch {
	case known && !same:
		return notBooted
	case known && kernel:
		return booted
	}
	return originUnknown
}
