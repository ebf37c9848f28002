package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// Read returns the record. A record that cannot be parsed, or that has another version, counts
// as empty, and the error says so. Everything is examined and reported again in that case.
func Read(l dkmsstate.Layout) (dkmsstate.Record, error) {
	data, err := regular.ReadFile(recordFile(l))
	if errors.Is(err, fs.ErrNotExist) {
		return dkmsstate.Record{}, nil
	}
	if err != nil {
		return dkmsstate.Record{}, fmt.Errorf("cannot read the record, so an empty one is used: %w", err)
	}
	r, err := parseRecord(data)
	if err != nil {
		return dkmsstate.Record{}, fmt.Errorf("cannot use %s, so an empty record is used: %w", filepath.Join(dkmsstate.StateDir, "record.json"), err)
	}
	return r, nil
}

func parseRecord(data []byte) (dkmsstate.Record, error) {
	var r dkmsstate.Record
	if err := json.Unmarshal(data, &r); err != nil {
		return dkmsstate.Record{}, fmt.Errorf("it is not a record: %w", err)
	}
	switch {
	case r.Version == dkmsstate.RecordVersion:
		return r, nil
	case r.Version > dkmsstate.RecordVersion:
		return dkmsstate.Record{}, fmt.Errorf("its version %d is of a newer dkms-hooks (this one supports up to %d); it is left unchanged", r.Version, dkmsstate.RecordVersion)
	}
	return dkmsstate.Record{}, fmt.Errorf("its version %d is not supported by this dkms-hooks", r.Version)
}

// Write stores the record. It does not replace a file of a newer version.
func Write(l dkmsstate.Layout, r dkmsstate.Record) error {
	var old dkmsstate.Record
	data, err := regular.ReadFile(recordFile(l))
	if err == nil && json.Unmarshal(data, &old) == nil && old.Version > dkmsstate.RecordVersion {
		return nil
	}
	if data, err = json.Marshal(r); err != nil {
		return fmt.Errorf("cannot write the record: %w", err)
	}
	if err := writeOwn(l, "record.json", append(data, '\n')); err != nil {
		return fmt.Errorf("cannot write the record: %w", err)
	}
	return nil
}

// writeOwn writes a file of the hooks' own directory, in a directory of written. The new file is
// complete and on the disk, or the old one stays. The caller need not hold a lock.
func writeOwn(l dkmsstate.Layout, name string, data []byte) error {
	return alone(l, func() error { return replaceOwn(l, name, data) })
}

// alone calls a function under the lock under which small files are written. What a file is to
// contain because of what it contains is read, decided and written in one such call.
func alone(l dkmsstate.Layout, do func() error) error {
	const limit = time.Minute
	locked, err := lock(context.Background(), l, writeLock, limit, func() {})
	if err != nil {
		return err
	}
	defer locked.Close()
	return do()
}

// replaceOwn is writeOwn for a caller of alone.
func replaceOwn(l dkmsstate.Layout, name string, data []byte) error {
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

// written returns the directories of what writeOwn writes, or did in earlier versions.
func written() []string {
	return []string{"", dkmsstate.UnfinishedDir, dkmsstate.InitramfsDir, dkmsstate.TransactionDir, dkmsstate.HeldDir, looksDir}
}

// removeWritten removes temporary files that killed runs of writeOwn left. If one is active, the
// next call does it.
func removeWritten(l dkmsstate.Layout) {
	locked, err := lock(context.Background(), l, writeLock, 0, func() {})
	if err != nil {
		return
	}
	defer locked.Close()
	removeTemps(l, written()...)
}

// removeTemps removes temporary files from subdirectories of the hooks' own directory. The caller
// must hold the lock under which such files are written.
func removeTemps(l dkmsstate.Layout, subs ...string) {
	for _, sub := range subs {
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

// OpenOwn opens the hooks' own directory or a subdirectory of it. It creates the directory if
// necessary.
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
