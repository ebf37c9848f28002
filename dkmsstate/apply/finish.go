package apply

import (
	"context"
	"fmt"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// Finish makes modules.dep fit what is installed. It runs depmod if the run changed something,
// or if the snapshot that was taken after the run requires it, and updates the snapshot with
// the new modules.dep. It returns what still does not fit, "" for nothing: depmod skips a file
// that it cannot read.
func (m Machine) Finish(ctx context.Context, after *dkmsstate.Snapshot, changed bool) (string, error) {
	tree := Tree{Layout: m.Layout, Kernel: after.Kernel}
	switch {
	case !after.There:
		return "", tree.RemoveDepmodPending()
	case !changed && plan.DepmodReason(*after) == "":
		return "", nil
	}
	if err := m.depmod(ctx, after.Kernel); err != nil {
		return "", fmt.Errorf("cannot regenerate modules.dep of %s, the old one stays: %w", after.Kernel, err)
	}
	if !after.DKMSRunning {
		if err := tree.RemoveDepmodPending(); err != nil {
			return "", err
		}
		after.DepmodPending, after.Unfinished = false, dkmsstate.UnfinishedNote{}
	}
	after.ReadDep(dkmsstate.DepRecord{})
	after.Dep.Accepted = plan.DepmodReason(*after)
	return after.Dep.Accepted, nil
}
