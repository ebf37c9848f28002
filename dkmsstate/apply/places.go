package apply

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// places are the directories in which files are being installed, with the names of the files
// whose temporary copies are complete.
type places struct {
	tree    Tree
	dirs    map[string]*nofollow.Dir
	written map[string][]string
}

func (t Tree) newPlaces() *places {
	return &places{tree: t, dirs: map[string]*nofollow.Dir{}, written: map[string][]string{}}
}

// copy copies a built file to a temporary name in the directory in which it is to be installed.
func (p *places) copy(f dkmsstate.File, built string) error {
	dir, known := p.dirs[f.Dir]
	if !known {
		var err error
		if dir, err = p.tree.makePlace(f.Dir); err != nil {
			return err
		}
		p.dirs[f.Dir] = dir
	}
	if err := dir.CopyToTemp(f.Name, built); err != nil {
		return err
	}
	p.written[f.Dir] = append(p.written[f.Dir], f.Name)
	return nil
}

// renameTemps gives the copies their names.
func (p *places) renameTemps() error {
	for name, dir := range p.dirs {
		if err := dir.RenameTemps(p.written[name]); err != nil {
			return err
		}
	}
	return nil
}

func (p *places) removeTemps() error {
	var errs []error
	for name, dir := range p.dirs {
		errs = append(errs, dir.RemoveTemps(p.written[name]))
	}
	return errors.Join(errs...)
}

func (p *places) close() {
	for _, dir := range p.dirs {
		dir.Close()
	}
}

// makePlace opens a directory below that of the kernel. It creates the directory if necessary.
func (t Tree) makePlace(dir string) (*nofollow.Dir, error) {
	at, err := t.openKernel()
	for _, name := range strings.Split(dir, "/") {
		if err != nil {
			return nil, err
		}
		in := at
		if err := in.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			in.Close()
			return nil, fmt.Errorf("cannot create the install directory: %w", err)
		}
		at, err = in.Descend(name)
		in.Close()
	}
	return at, err
}
