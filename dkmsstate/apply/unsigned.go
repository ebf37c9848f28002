package apply

import (
	"bytes"
	"context"
	"fmt"

	"dkms-hooks/dkmsstate/signing"
)

// unsigned returns why a module that a task built is not signed. dkms installs it all the same,
// and prints the reason only to its output, which is in the log. It returns "" if the module is
// signed, or if nobody wants it to be: framework.conf says so, or it names no key, and the
// kernel does not check signatures or dkms does not mean to sign.
func (r *taskRun) unsigned(ctx context.Context, log string) string {
	if !r.task.Builds() || r.machine.Layout.NeverSigns {
		return ""
	}
	layout, kernel := r.machine.Layout, r.tree.Kernel
	for _, file := range layout.BuiltFiles(kernel, r.tree.build(r.task.Module, r.task.Arch)) {
		ko, err := layout.Reader.Read(ctx, file)
		if err != nil || ko.Signed {
			continue
		}
		reason := signing.UnsignedReason(log)
		switch {
		case layout.NamesKey && reason == "":
			return fmt.Sprintf("/etc/dkms/framework.conf configures signing, but dkms does not report why it did not sign (log: %s)", log)
		case layout.NamesKey || bytes.Contains(layout.KernelConfig(kernel), []byte("\nCONFIG_MODULE_SIG=y\n")):
			return reason
		}
	}
	return ""
}
