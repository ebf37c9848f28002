package lab

import (
	"flag"
	"strings"
)

// Settings are what every program that works in a lab is asked for on its command line.
type Settings struct {
	// Deb is the package under test, "" for the one in dist.
	Deb string
	// Roots is where mkroot and mkkernel put what they make, "" for a directory that is
	// removed in the end.
	Roots string
	// Suites are the releases of Debian, separated by spaces.
	Suites string
}

// Define adds the flags of the settings to a set, with their defaults.
func (s *Settings) Define(flags *flag.FlagSet) {
	flags.StringVar(&s.Deb, "deb", "", "the package to test, a `file` (else the one in dist)")
	flags.StringVar(&s.Roots, "roots", "", "a `directory` in which the roots are kept for the next run (else they are made for this run and removed)")
	flags.StringVar(&s.Suites, "suites", "bookworm trixie", "the `releases` of Debian to work in")
}

// SuiteNames returns the names of the releases.
func (s Settings) SuiteNames() []string { return strings.Fields(s.Suites) }
