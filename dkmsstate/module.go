package dkmsstate

import (
	"fmt"
	"strings"
)

// Underscored returns a module's name as the kernel has it.
func Underscored(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Module is a DKMS module at one version, dkms's MODULE/VERSION.
type Module struct {
	Name    string
	Version string
}

// String returns the module as dkms(8) takes it: NAME/VERSION, or NAME where the
// version is not known.
func (m Module) String() string {
	if m.Version == "" {
		return m.Name
	}
	return m.Name + "/" + m.Version
}

// checkName refuses a module name or version that dkms(8) would read as
// something else: an option, or a second path component.
func checkName(s string) error {
	switch {
	case s == "" || s == "." || s == "..":
		return fmt.Errorf("%q is no name", s)
	case strings.HasPrefix(s, "-"):
		return fmt.Errorf("%q begins with a dash", s)
	case strings.ContainsAny(s, "/,:\n\x00 \t"):
		return fmt.Errorf("%q holds a character that dkms cannot keep apart", s)
	}
	return nil
}
