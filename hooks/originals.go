package hooks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/modprobe"
)

// PrintOriginals prints a line for each module of the kernel itself in whose place a module of DKMS
// is installed: the name of the module. Unless an initramfs of the kernel contained it, its place
// below the directory of the kernel and the file to which dkms moved it follow after a tab each.
// The hook of initramfs-tools reads this. PrintOriginals returns the exit status.
func PrintOriginals(inv Invocation, stdout, stderr io.Writer) int {
	sys := withRecord(inv)
	for _, trouble := range sys.troubles {
		Sayf(stderr, "%s", trouble)
	}
	survey, err := sys.layout.Survey()
	if err != nil {
		Sayf(stderr, "failed: %v", err)
		return StatusUnknown
	}
	s := survey.Snapshot(inv.Kernel, machineArch(), sys.record.Kernel(inv.Kernel))
	held := slices.DeleteFunc(sys.layout.HeldNames(inv.Kernel), func(name string) bool { return !s.Provides(name) })
	for _, name := range held {
		fmt.Fprintln(stdout, name)
	}
	for _, o := range s.Originals() {
		name := modprobe.ModuleName(o.Place)
		if line := o.Place + o.File; !slices.Contains(held, name) && WithoutControls(line) == line && !strings.Contains(line, "\\") {
			fmt.Fprintf(stdout, "%s\t%s\t%s\n", name, o.Place, o.File)
		}
	}
	return StatusOK
}
