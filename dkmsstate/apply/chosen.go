package apply

import (
	"errors"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/sentinel"
)

// Why a task is given up that somebody has made pointless.
const (
	errUninstalled  = sentinel.Error("somebody else uninstalled it with dkms during this run")
	errOtherVersion = sentinel.Error("somebody else installed another version of it with dkms during this run")
)

// chosen returns an error if somebody else has uninstalled the module of a task since the plan was
// made, or installed another version of it. A removal, or the same version, is what the task is for.
func (r *taskRun) chosen() error {
	now := r.machine.Layout.LinkedVersion(r.task.Module.Name, r.tree.Kernel, r.task.Arch)
	switch {
	case now == r.link || now == r.task.Module.Version || r.task.Removes() || r.machine.Removals.Removed(r.task.Module):
		return nil
	case now == "":
		return errUninstalled
	}
	return errOtherVersion
}

// isChosen reports whether an error is one of chosen.
func isChosen(err error) bool {
	return errors.Is(err, errUninstalled) || errors.Is(err, errOtherVersion)
}

// linkBefore returns the version that a kernel link named when the plan of a task was made, or when
// the last task before it of the same module had ended.
func (m Machine) linkBefore(before dkmsstate.Snapshot, p plan.Plan, i int) string {
	t := p.Tasks[i]
	for _, earlier := range p.Tasks[:i] {
		if earlier.Module.Name == t.Module.Name {
			return m.Layout.LinkedVersion(t.Module.Name, p.Kernel, t.Arch)
		}
	}
	link, _ := before.Link(t.Module.Name, t.Arch)
	return link.Version
}
