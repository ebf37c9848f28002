package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
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

// PutBack registers a module again that was registered before a run. If dkms add fails, as when
// the source is gone as well, it creates the link itself, so that DKMS knows again what it
// knew.
func (m Machine) PutBack(ctx context.Context, r dkmsstate.Registration) error {
	if r.Source == "" {
		return fmt.Errorf("cannot restore the registration of %s: it had no source link", r.Module)
	}
	addErr := m.Engine.Add(ctx, r.Module)
	link := filepath.Join(m.Layout.VersionDir(r.Module), "source")
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
