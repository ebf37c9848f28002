package debpkg

// Package is what dpkg's database says of one package. Its identity is the name
// with the architecture.
type Package struct {
	Name, Arch, Version string
	Status              Status
	// From is the file that holds its last record: "status" or "updates/0003".
	From string
}
