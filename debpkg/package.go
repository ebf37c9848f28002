package debpkg

// Package is the entry of one package in dpkg's database. It is identified by its name and
// architecture.
type Package struct {
	Name, Arch, Version string
	Status              Status
	// From is the file that contains its latest record: "status" or "updates/0003".
	From string
}
