package dkmsstate

import (
	"fmt"
	"strings"
)

// Underscored returns a module's name as the kernel writes it, with underscores for dashes.
func Underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Module is a DKMS module at one version, MODULE/VERSION in dkms.
type Module struct {
	Name    string
	Version string
}

// String returns the module as an argument of dkms(8): NAME/VERSION, or NAME if the version is
// not known.
func (m Module) String() string {
	if m.Version == "" {
		return m.Name
	}
	return m.Name + "/" + m.Version
}

// checkName returns an error for a module name or version that dkms(8) would misread as an
// option or as several path components.
func checkName(s string) error {
	switch {
	case s == "" || s == "." || s == "..":
		return fmt.Errorf("%q is not a name", s)
	case strings.HasPrefix(s, "-"):
		return fmt.Errorf("%q begins with a dash", s)
	case strings.ContainsAny(s, "/,:\n\x00 \t"):
		return fmt.Errorf("%q contains a character that dkms uses as a separator", s)
	}
	return nil
}
