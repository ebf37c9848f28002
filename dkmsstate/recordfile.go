package dkmsstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// recordVersion is the version of the file that the Record is kept in.
const recordVersion = 2

// ReadRecord returns what was kept. A record that cannot be understood, or that is of
// another version, is as good as none, and the error says so: everything is examined and
// reported again then.
func (l Layout) ReadRecord() (Record, error) {
	data, err := regular.ReadFile(l.recordFile())
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, nil
	}
	if err != nil {
		return Record{}, fmt.Errorf("cannot read the record, so that nothing is remembered: %w", err)
	}
	r, err := parseRecord(data)
	if err != nil {
		return Record{}, fmt.Errorf("cannot use %s, so that nothing is remembered: %w", filepath.Join(stateDir, "record.json"), err)
	}
	return r, nil
}

func parseRecord(data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("it is no record: %w", err)
	}
	switch {
	case r.Version == recordVersion:
		return r, nil
	case r.Version > recordVersion:
		return Record{}, fmt.Errorf("it is of version %d, written by a newer dkms-hooks, and this one knows up to %d; it is left as it is", r.Version, recordVersion)
	}
	return Record{}, fmt.Errorf("it is of version %d, which this dkms-hooks does not read", r.Version)
}

// WriteRecord keeps the record. A file of a newer version is left alone.
func (l Layout) WriteRecord(r Record) error {
	var old Record
	data, err := regular.ReadFile(l.recordFile())
	if err == nil && json.Unmarshal(data, &old) == nil && old.Version > recordVersion {
		return nil
	}
	if data, err = json.Marshal(r); err != nil {
		return fmt.Errorf("cannot keep the record: %w", err)
	}
	if err := l.writeOwn("record.json", append(data, '\n')); err != nil {
		return fmt.Errorf("cannot keep the record: %w", err)
	}
	return nil
}

// writeOwn puts a file into the hooks' own directory, whole and on the disk or not
// at all.
func (l Layout) writeOwn(name string, data []byte) error {
	dir, err := l.openOwn(filepath.Dir(name))
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
func (l Layout) removeOwnTemps() {
	for _, sub := range []string{"", unfinishedDir} {
		dir, err := l.root().OpenPath(filepath.Join(l.Path(stateDir), sub))
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

// openOwn opens a directory of the hooks' own, made where needed.
func (l Layout) openOwn(sub string) (*nofollow.Dir, error) {
	dir := filepath.Join(l.Path(stateDir), sub)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return l.root().OpenPath(dir)
}

func (l Layout) recordFile() string { return filepath.Join(l.Path(stateDir), "record.json") }
