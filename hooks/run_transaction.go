package hooks

import (
	"context"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
)

// postTransaction runs the command post_transaction of framework.conf(5) if the run has
// installed modules: once, after depmod. Like initramfs it does not hold the lock of the
// modules.
func (r *run) postTransaction(ctx context.Context) error {
	layout, kernel := r.machine.Layout, r.inv.Kernel
	if layout.PostTransaction == nil || layout.Root != "/" || ctx.Err() != nil || !r.outcomes.installed() {
		return nil
	}
	command := layout.PostTransaction(kernel)
	r.report.infof("running post_transaction: %s", command)
	if err := engine(r.inv, layout, r.config.Config, nil).PostTransaction(ctx, command); err != nil {
		return fmt.Errorf("post_transaction of %s: %w", dkmsstate.FrameworkConf, dkms.Explain(err))
	}
	return nil
}
