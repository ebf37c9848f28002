package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/sentinel"
)

// Lost returns the registrations of the snapshot before that the snapshot after no longer has.
func Lost(before, after dkmsstate.Snapshot) []dkmsstate.Registration {
	var lost []dkmsstate.Registration
	for _, r := range before.Registrations {
		now, ok := after.Registration(r.Module)
		if !ok || r.Source != "" && now.Source == "" {
			lost = append(lost, r)
		}
	}
	return lost
}

// errUnregistered is why a task is not carried out.
const errUnregistered = sentinel.Error("somebody else removed it with dkms during this run")

// unregistered returns an error if the module of a task was registered before the run, and
// somebody else has removed it since. dkms build would register it again. A removal registers
// nothing, and is carried out.
func (r *taskRun) unregistered() error {
	if before, known := r.before.Registration(r.task.Module); !known || before.Source == "" || r.task.Removes() || r.machine.Removals.Removed(r.task.Module) {
		return nil
	}
	_, err := os.Lstat(r.machine.Layout.RegistrationLink(r.task.Module))
	if errors.Is(err, fs.ErrNotExist) {
		return errUnregistered
	}
	return nil
}

// linked reports whether the kernel link names the module of a task.
func (r *taskRun) linked() bool {
	return r.machine.Layout.LinkNames(r.task.Module, r.tree.Kernel, r.task.Arch)
}

// PutBack registers a module again that was registered before a run. If dkms add fails, as when
// the source is gone as well, it creates the link itself, so that DKMS knows again what it
// knew.
func (m Machine) PutBack(ctx context.Context, r dkmsstate.Registration) error {
	if r.Source == "" {
		return fmt.Errorf("cannot restore the registration of %s: it had no source link", r.Module)
	}
	addErr := m.Engine.Add(ctx, r.Module)
	m.Removals.Forget(r.Module)
	link := m.Layout.RegistrationLink(r.Module)
	if _, err := os.Lstat(link); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return fmt.Errorf("cannot restore the registration of %s: %w", r.Module, errors.Join(addErr, err))
	}
	if err := os.Symlink(r.Source, link); err != nil {
		return fmt.Errorf("cannot restore the registration of %s: %w", r.Module, errors.Join(addErr, err))
	}
	return nil
}
