package dkmsstate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate/shvars"
)

// SourceDir is a directory of the source tree that contains a dkms.conf.
type SourceDir struct {
	Module Module
	// Dir is its path, as seen from inside the root.
	Dir string
}

// Unregistered returns the modules that are not registered and whose source is in the source
// tree, where `dkms add` would find it.
func (l Layout) Unregistered() ([]SourceDir, error) {
	confs, err := filepath.Glob(filepath.Join(l.Path(l.Source), "*", "dkms.conf"))
	if err != nil {
		return nil, fmt.Errorf("cannot look for sources of modules: %w", err)
	}
	var found []SourceDir
	for _, conf := range confs {
		dir := filepath.Base(filepath.Dir(conf))
		m, ok := sourceModule(dir, conf)
		if !ok {
			continue
		}
		if _, err := os.Lstat(filepath.Join(l.TreePath(), m.Name, m.Version, "source")); err != nil {
			found = append(found, SourceDir{Module: m, Dir: filepath.Join(l.Source, dir)})
		}
	}
	return found, nil
}

// sourceModule returns the module of which a directory NAME-VERSION is the source. Since a name
// may contain dashes and digits, the dkms.conf decides where it ends.
func sourceModule(dir, conf string) (Module, bool) {
	as, _, err := shvars.Assignments{}.Source(conf)
	if err != nil {
		return Module{}, false
	}
	name, version := as.Literal("PACKAGE_NAME"), as.Literal("PACKAGE_VERSION")
	switch {
	case name != "" && strings.HasPrefix(dir, name+"-"):
		version = strings.TrimPrefix(dir, name+"-")
	case version != "" && strings.HasSuffix(dir, "-"+version):
		name = strings.TrimSuffix(dir, "-"+version)
	default:
		return Module{}, false
	}
	return Module{name, version}, checkName(name) == nil && checkName(version) == nil
}
