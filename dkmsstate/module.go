package dkmsstate

import (
	"fmt"
	"strings"
)

// Module is a DKMS module at one version, dkms's MODULE/VERSION.
type Module struct {
	Name    string
	Version string
}

// String gives the module as dkms(8) takes it: NAME/VERSION, or NAME where the
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

// Registration is one module that DKMS knows: the directory MODULE/VERSION in
// the DKMS tree, with a link to the source.
type Registration struct {
	Module Module
	// Source is what the `source` link says, "" without one.
	Source string
	// Conf is what could be read of the module's dkms.conf.
	Conf Conf
	// Broken is why dkms cannot build this module, nil when it can be tried.
	Broken error
}

// sentinel is an error that callers compare with; it is a constant.
type sentinel string

// Error gives the text.
func (s sentinel) Error() string { return string(s) }

// errNoSource says that a module's directory has no `source` link.
const errNoSource = sentinel("the link to its source is gone")
