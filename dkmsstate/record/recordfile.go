package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// Read returns what was kept. A record that cannot be understood, or that is of
// another version, is as good as none, and the error says so: everything is examined and
// reported again then.
func Read(l dkmsstate.Layout) (dkmsstate.Record, error) {
	data, err := regular.ReadFile(recordFile(l))
	if errors.Is(err, fs.ErrNotExist) {
		return dkmsstate.Record{}, nil
	}
	if err != nil {
		return dkmsstate.Record{}, fmt.Errorf("cannot read the record, so that nothing is remembered: %w", err)
	}
	r, err := parseRecord(data)
	if err != nil {
		return dkmsstate.Record{}, fmt.Errorf("cannot use %s, so that nothing is remembered: %w", filepath.Join(dkmsstate.StateDir, "record.json"), err)
	}
	return r, nil
}

func parseRecord(data []byte) (dkmsstate.Record, error) {
	var r dkmsstate.Record
	if err := json.Unmarshal(data, &r); err != nil {
		return dkmsstate.Record{}, fmt.Errorf("it is no record: %w", err)
	}
	switch {
	case r.Version == dkmsstate.RecordVersion:
		return r, nil
	case r.Version > dkmsstate.RecordVersion:
		return dkmsstate.Record{}, fmt.Errorf("it is of version %d, written by a newer dkms-hooks, and this one knows up to %d; it is left unchanged", r.Version, dkmsstate.RecordVersion)
	}
	return dkmsstate.Record{}, fmt.Errorf("it is of version %d, which this dkms-hooks does not read", r.Version)
}

// Write keeps the record. A file of a newer version is left alone.
func Write(l dkmsstate.Layout, r dkmsstate.Record) error {
	var old dkmsstate.Record
	data, err := regular.ReadFile(recordFile(l))
	if err == nil && json.Unmarshal(data, &old) == nil && old.Version > dkmsstate.RecordVersion {
		return nil
	}
	if data, err = json.Marshal(r); err != nil {
		return fmt.Errorf("cannot keep the record: %w", err)
	}
	if err := writeOwn(l, "record.json", append(data, '\n')); err != nil {
		return fmt.Errorf("cannot keep the record: %w", err)
	}
	return nil
}

// writeOwn puts a file into the hooks' own directory, whole and on the disk or not
// at all.
func writeOwn(l dkmsstate.Layout, name string, data []byte) error {
	dir, err := OpenOwn(l, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.WriteFile(filepath.Base(name), 0o644, func(to *os.File) error {
		_, err := to.Write(data)
		return err
	})
}

// removeOwnTemps removes what a run that was killed left of files of the hooks' own. It
// needs the lock.
func removeOwnTemps(l dkmsstate.Layout) {
	for _, sub := range []string{"", dkmsstate.UnfinishedDir} {
		dir, err := l.NoFollow().OpenPath(filepath.Join(l.Path(dkmsstate.StateDir), sub))
		if err != nil {
			continue
		}
		names, _ := dir.Names()
		for _, name := range names {
			if _, ok := nofollow.NameOfTemp(name); ok {
				_ = dir.RemoveAll(name) // the next run tries again
			}
		}
		dir.Close()
	}
}

// OpenOwn opens a directory of the hooks' own, made where needed.
func OpenOwn(l dkmsstate.Layout, sub string) (*nofollow.Dir, error) {
	dir := filepath.Join(l.Path(dkmsstate.StateDir), sub)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return l.NoFollow().OpenPath(dir)
}

func recordFile(l dkmsstate.Layout) string {
	return filepath.Join(l.Path(dkmsstate.StateDir), "record.json")
}
