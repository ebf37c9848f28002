package hooks

import (
	"fmt"
	"io"

	"dkms-hooks/dkmsstate"
)

// leave leaves a kernel to the run that started this hook and waits for it. That run is
// at work on the kernel, or finds the note; a hook of another kernel is not lost.
func leave(layout dkmsstate.Layout, inv Invocation, stderr io.Writer) int {
	if layout.Unfinished(inv.Kernel) != "" {
		return exitOK
	}
	if err := layout.NoteUnfinished(inv.Kernel, dkmsstate.Deferred, false); err != nil {
		fmt.Fprintf(stderr, "dkms-hooks: failed: %v\n", err)
	}
	return exitOK
}
