package dkmsstate

import (
	"cmp"

	"dkms-hooks/dkmsstate/shvars"
)

// confPlaces are the directories, below that of a kernel, that a dkms.conf names for the files
// of its module (DEST_MODULE_LOCATION).
type confPlaces struct {
	// of are the directories by the name of the file, without .ko. all is the directory of every
	// file, "" unless they have the same one.
	of  map[string]string
	all string
}

// newConfPlaces reads the directories, as far as they are known (dkms, read_conf).
func newConfPlaces(as shvars.Assignments) confPlaces {
	locations, known := as.Array("DEST_MODULE_LOCATION")
	if !known {
		return confPlaces{}
	}
	p := confPlaces{of: map[string]string{}}
	names := placedNames(as, len(locations))
	dirs := map[string]bool{}
	for i, location := range locations {
		dir := relative(location)
		dirs[dir] = true
		p.all = dir
		if names[i] != "" {
			p.of[names[i]] = dir
		}
	}
	if len(dirs) > 1 {
		p.all = ""
	}
	return p
}

// placedNames returns the names of the installed files by their index, as far as they are
// known. count is the number of files.
func placedNames(as shvars.Assignments, count int) map[int]string {
	built, builtKnown := as.Array("BUILT_MODULE_NAME")
	dest, destKnown := as.Array("DEST_MODULE_NAME")
	pkg, _ := as.Value("PACKAGE_NAME")
	if !builtKnown || !destKnown {
		return nil
	}
	names := built
	for i, name := range dest {
		names[i] = cmp.Or(name, names[i])
	}
	if count == 1 && names[0] == "" {
		names[0] = pkg
	}
	return names
}

// dir returns the directory of a file, "" if it is not known.
func (p confPlaces) dir(name string) string { return cmp.Or(p.of[name], p.all) }
