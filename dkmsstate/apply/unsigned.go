package apply

import (
	"bytes"
	"context"
	"fmt"

	"dkms-hooks/dkmsstate/signing"
)

// unsigned says why a module that a task built is not signed: dkms installs it all the
// same, and gives its reason nowhere but in its output, which is in the log. It is
// "" where the module is signed, and where nobody wants it to be: framework.conf names
// no key, and the kernel does not look at signatures or dkms does not mean to sign.
func (r *taskRun) unsigned(ctx context.Context, log string) string {
	if !r.task.Builds() {
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
			return fmt.Sprintf("/etc/dkms/framework.conf names how to sign, and dkms does not say why it did not (log: %s)", log)
		case layout.NamesKey || bytes.Contains(layout.KernelConfig(kernel), []byte("\nCONFIG_MODULE_SIG=y\n")):
			return reason
		}
	}
	return ""
}
