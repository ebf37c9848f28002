package apply

import (
	"errors"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/sentinel"
)

// Why a task is given up that somebody has made pointless.
const (
	errUninstalled  = sentinel.Error("somebody else uninstalled it with dkms during this run")
	errOtherVersion = sentinel.Error("somebody else installed another version of it with dkms during this run")
)

// chosen returns an error if somebody else has uninstalled the module of a task since the plan was
// made, or installed another version of it. A removal, or the same version, is what the task is for. What
// a call of this run removed, such as a script of the module that drops its older versions, is no choice.
func (r *taskRun) chosen() error {
	now := r.linkNow()
	switch {
	case now == r.link || now == r.task.Module.Version || r.task.Removes() || r.machine.Removals.Removed(r.task.Module):
		return nil
	case now == "" && r.machine.Removals.Removed(dkmsstate.Module{Name: r.task.Module.Name, Version: r.link}):
		return nil
	case now == "":
		return errUninstalled
	}
	return errOtherVersion
}

// linkNow returns the version that the kernel link of the module names now.
func (r *taskRun) linkNow() string {
	return r.machine.Layout.LinkedVersion(r.task.Module.Name, r.tree.Kernel, r.task.Arch)
}

// isChosen reports whether an error is one of chosen.
func isChosen(err error) bool {
	return errors.Is(err, errUninstalled) || errors.Is(err, errOtherVersion)
}

// linkBefore returns the version that the kernel link named when the plan was made, or when the last
// task with the same link had ended, which is nil for none: it may be this one, which is repeated. Where
// dkms rebuilds modules unasked, it changes the links of others than that which it installs.
func (r *taskRun) linkBefore(last *taskRun) string {
	switch {
	case slices.ContainsFunc(r.before.Registrations, func(other dkmsstate.Registration) bool { return other.Conf.RebuiltWith }):
		return r.linkNow()
	case last != nil:
		return last.link
	}
	link, _ := r.before.Link(r.task.Module.Name, r.task.Arch)
	return link.Version
}
