package hooks

import (
	"io"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// deferToParent leaves a kernel to the run that started this hook and waits for it. That run is
// working on the kernel already, or its modules are done and it does what follows, or it finds
// the note. So the hook of another kernel is not lost.
func deferToParent(layout dkmsstate.Layout, inv Invocation, stderr io.Writer) int {
	if work := readUnfinished(layout, inv.Kernel); work.modules.Why != "" || work.active() {
		return exitOK
	}
	if err := record.NoteUnfinished(layout, inv.Kernel, dkmsstate.Deferred, false); err != nil {
		Sayf(stderr, "failed: %v", err)
	}
	return exitOK
}
