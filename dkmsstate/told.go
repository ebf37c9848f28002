package dkmsstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// toldVersion is the version of the file that Told is kept in.
const toldVersion = 1

// Told is what was said of modules in trouble, by kernel. A run of dpkg that
// configures both the image and the headers of a kernel calls two hooks for it;
// the second neither tries in vain nor tells again what the first did.
type Told struct {
	Version int                       `json:"version"`
	Kernels map[Release]KernelTrouble `json:"kernels"`
}

// KernelTrouble is the trouble with modules on one kernel.
type KernelTrouble struct {
	// Run names the run of dpkg that was told.
	Run string `json:"run"`
	// Inputs name what the trouble came from (Snapshot.Inputs); with other
	// inputs everything is tried and told anew.
	Inputs string `json:"inputs"`
	// Texts are the troubles by module.
	Texts map[string]string `json:"texts"`
}

// In gives what a run of dpkg was told of a kernel, nothing for another run, for
// one without a name, and when the inputs have changed.
func (t Told) In(run string, kernel Release, inputs string) map[string]string {
	if run == "" || t.Kernels[kernel].Run != run {
		return nil
	}
	return t.Ever(kernel, inputs)
}

// Ever gives what any run was told of a kernel, nothing when the inputs have
// changed.
func (t Told) Ever(kernel Release, inputs string) map[string]string {
	if k := t.Kernels[kernel]; k.Inputs == inputs {
		return k.Texts
	}
	return nil
}

// With gives what was told, with one kernel's trouble put in its place.
func (t Told) With(kernel Release, trouble KernelTrouble) Told {
	next := Told{Version: toldVersion, Kernels: maps.Clone(t.Kernels)}
	if next.Kernels == nil {
		next.Kernels = map[Release]KernelTrouble{}
	}
	next.Kernels[kernel] = trouble
	return next
}

// Without gives what was told, less what was told of a kernel.
func (t Told) Without(kernel Release) Told {
	next := Told{Version: toldVersion, Kernels: maps.Clone(t.Kernels)}
	delete(next.Kernels, kernel)
	return next
}

// ReadTold reads what was told last. A file that is not there, cannot be
// understood or comes from a newer version is as good as none: everything is
// told again then.
func (l Layout) ReadTold() Told {
	data, err := os.ReadFile(l.toldFile())
	if err != nil {
		return Told{}
	}
	var t Told
	if err := json.Unmarshal(data, &t); err != nil || t.Version != toldVersion {
		return Told{}
	}
	return t
}

// WriteTold keeps what was told: a temporary file, renamed into place. A file of
// a newer version is left alone.
func (l Layout) WriteTold(t Told) error {
	var old Told
	data, err := os.ReadFile(l.toldFile())
	if err == nil && json.Unmarshal(data, &old) == nil && old.Version > toldVersion {
		return nil
	}
	if data, err = json.Marshal(t); err != nil {
		return fmt.Errorf("cannot note what was told: %w", err)
	}
	temp := l.toldFile() + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot note what was told: %w", err)
	}
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return fmt.Errorf("cannot note what was told: %w", err)
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("cannot note what was told: %w", err)
	}
	if err := os.Rename(temp, l.toldFile()); err != nil {
		return fmt.Errorf("cannot note what was told: %w", err)
	}
	return nil
}

func (l Layout) toldFile() string { return filepath.Join(l.Path(lockDir), "told.json") }
