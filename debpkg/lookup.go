package debpkg

import (
	"cmp"
	"slices"
)

// Lookup returns the record of a package. With an empty architecture it returns the only one of
// that name, or the one whose files are present.
func (db *Database) Lookup(name, arch string) (Package, bool) {
	var found *record
	for i, r := range db.records[name] {
		switch {
		case r.bad != nil:
		case arch != "" && string(r.arch) == arch:
			return r.decode()
		case arch == "" && (found == nil || r.want.Present()):
			found = &db.records[name][i]
		}
	}
	if found == nil {
		return Package{}, false
	}
	return found.decode()
}

// Troubles returns messages about the stanzas that could not be used, with their file and line.
func (db *Database) Troubles() []string { return slices.Clone(db.troubles) }

// decode returns the package of a record. It reports false for a stanza that cannot be used.
func (r record) decode() (Package, bool) {
	if r.bad != nil {
		return Package{}, false
	}
	return Package{Name: string(r.name), Arch: string(r.arch), Version: string(r.version), Status: r.want, From: r.from}, true
}

func byName(a, b Package) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Arch, b.Arch))
}
