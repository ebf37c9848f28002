package debpkg

import "fmt"

// Package is what dpkg's database says of one package. Its identity is the name
// with the architecture.
type Package struct {
	Name, Arch, Version string
	Status              Status
	// From is the file that holds its last record: "status" or "updates/0003".
	From string
}

// String names the package for a message, with its version and status.
func (p Package) String() string {
	name := p.Name
	if p.Arch != "" {
		name += ":" + p.Arch
	}
	return fmt.Sprintf("%s %s (%s)", name, p.Version, p.Status)
}
