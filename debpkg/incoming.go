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

// Incoming is the package that dpkg is unpacking. Its control files are in tmp.ci while an
// older version, or a package that it replaces, is removed.
type Incoming struct {
	Package, Version string
	// files is its md5sums, which most packages have. listed reports whether it exists.
	files  []byte
	listed bool
}

// Incoming reads tmp.ci. It reports false if dpkg is not unpacking anything.
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

// Contains is whether a package contains a kernel.
type Contains int

// ContainsUnknown means that it may contain the kernel.
const (
	ContainsUnknown Contains = iota
	ContainsYes
	ContainsNo
)

// String returns unknown, yes or no.
func (b Contains) String() string { return [...]string{"unknown", "yes", "no"}[b] }

// Contains reports whether the incoming package contains a kernel. One with this release in its
// name does, whatever its files are: a kernel may consist of several packages, of which this is
// one. Otherwise its list of files decides, or its name if it has none.
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

// lists searches md5sums. A line is a checksum, two spaces, and a path without the leading
// slash.
func (in Incoming) lists(kver string) Contains {
	for line := range bytes.Lines(in.files) {
		_, path, _ := strings.Cut(strings.TrimRight(string(line), "\n"), "  ")
		if isKernelFile(path, kver) {
			return ContainsYes
		}
	}
	return ContainsNo
}

// isKernelFile reports whether a path in a package, without the leading slash, is a kernel's
// image or one of its modules.
func isKernelFile(path, kver string) bool {
	path = strings.TrimPrefix(path, "usr/")
	return path == "boot/vmlinuz-"+kver || path == "boot/vmlinux-"+kver || strings.HasPrefix(path, "lib/modules/"+kver+"/")
}

// namesRelease reports whether a package's name contains a release between its dashes:
// linux-image-6.1.0-1-unsigned contains 6.1.0-1, and linux-image-6.1.0-10 does not.
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
