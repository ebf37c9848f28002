package debpkg

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
)

// Incoming is the package that dpkg is unpacking: its control files are in
// tmp.ci while an older one, or one that it replaces, is removed.
type Incoming struct {
	Package, Version string
	// files is its md5sums, which most packages have; listed says that it is there.
	files  []byte
	listed bool
}

// Incoming reads tmp.ci; it is false when dpkg is not unpacking anything.
func (db *Database) Incoming() (Incoming, bool, error) {
	dir := filepath.Join(db.dir, "tmp.ci")
	data, _, err := readFile(filepath.Join(dir, "control"))
	if errors.Is(err, fs.ErrNotExist) {
		return Incoming{}, false, nil
	}
	if err != nil {
		return Incoming{}, false, fmt.Errorf("cannot read the incoming package: %w", err)
	}
	fields, err := ParseParagraph(data)
	if err != nil {
		return Incoming{}, false, fmt.Errorf("cannot read the incoming package: %w", err)
	}
	var in Incoming
	for _, field := range fields {
		switch strings.ToLower(field.Name) {
		case "package":
			in.Package = field.Value
		case "version":
			in.Version = field.Value
		}
	}
	files, _, err := readFile(filepath.Join(dir, "md5sums"))
	switch {
	case err == nil:
		in.files, in.listed = files, true
	case !errors.Is(err, fs.ErrNotExist):
		return Incoming{}, false, fmt.Errorf("cannot read the incoming package: %w", err)
	}
	return in, true, nil
}

// Contains reports whether a package holds a kernel.
type Contains int

// A package may hold it, hold it, or not.
const (
	ContainsUnknown Contains = iota
	ContainsYes
	ContainsNo
)

// String returns unknown, yes or no.
func (b Contains) String() string { return [...]string{"unknown", "yes", "no"}[b] }

// Contains reports whether the incoming package holds a kernel. A name with this
// release in it does, whatever its files: a kernel may come in several packages,
// of which this is one. Else its file list says, when it has one, or the name.
func (in Incoming) Contains(kver string) Contains {
	switch {
	case namesRelease(in.Package, kver):
		return ContainsYes
	case in.listed:
		return in.lists(kver)
	case regexp.MustCompile(`[0-9]+\.[0-9]+`).MatchString(in.Package):
		return ContainsNo
	case strings.HasPrefix(in.Package, "linux-") || strings.Contains(in.Package, "kernel"):
		return ContainsUnknown
	}
	return ContainsNo
}

// lists looks into md5sums: a sum, two spaces, a path without the first slash.
func (in Incoming) lists(kver string) Contains {
	for line := range bytes.Lines(in.files) {
		_, path, _ := strings.Cut(strings.TrimRight(string(line), "\n"), "  ")
		if isKernelFile(path, kver) {
			return ContainsYes
		}
	}
	return ContainsNo
}

// isKernelFile reports whether a path of a package, without the first slash, is a
// kernel's image or one of its modules.
func isKernelFile(path, kver string) bool {
	path = strings.TrimPrefix(path, "usr/")
	return path == "boot/vmlinuz-"+kver || path == "boot/vmlinux-"+kver || strings.HasPrefix(path, "lib/modules/"+kver+"/")
}

// namesRelease reports whether a package's name holds a release between its dashes:
// 6.1.0-1 stands in linux-image-6.1.0-1-unsigned and not in linux-image-6.1.0-10.
func namesRelease(name, kver string) bool {
	kver = strings.ToLower(kver) // package names are in lower case
	for rest := name; ; {
		i := strings.Index(rest, kver)
		if i < 0 {
			return false
		}
		end := i + len(kver)
		suffix := rest[end:]
		if i > 0 && rest[i-1] == '-' && (suffix == "" || suffix == "-unsigned" || suffix == "-signed") {
			return true
		}
		rest = rest[i+1:]
	}
}
