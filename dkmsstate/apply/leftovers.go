package apply

import (
	"fmt"
	"path"
	"strings"

	"dkms-hooks/dkmsstate/nofollow"
)

// RemoveLeftovers removes the Leftovers of a Snapshot. A directory that does not exist contains
// none.
func (t Tree) RemoveLeftovers(paths []string) error {
	for _, name := range paths {
		in, err := t.openParent(name)
		if nofollow.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = in.RemoveAll(path.Base(name))
			in.Close()
		}
		if err != nil {
			return fmt.Errorf("cannot remove leftovers of an interrupted run: %w", err)
		}
	}
	return nil
}

// openParent opens the directory of a path of the system that is in one of the trees.
func (t Tree) openParent(name string) (*nofollow.Dir, error) {
	if rel, ok := strings.CutPrefix(path.Dir(name), t.Layout.Install+"/"); ok {
		return t.openModules(rel)
	}
	rel, ok := strings.CutPrefix(path.Dir(name), t.Layout.DKMSTree+"/")
	if !ok {
		return nil, fmt.Errorf("%s is not in a tree of dkms", name)
	}
	return t.openTree(strings.Split(rel, "/")...)
}
