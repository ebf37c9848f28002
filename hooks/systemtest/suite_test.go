//go:build integration

package systemtest

import (
	"testing"

	"dkms-hooks/hooks/systemtest/lab"
)

// suite is a release of Debian with the roots that its tests begin with.
type suite struct {
	lab.Suite
	settings
	// stock has dkms as the suite ships it and the three good modules; ours has
	// the package under test besides.
	stock, ours lab.Root
	stages      *stages
	// table is that of all suites.
	table *outcomes
	turns turns
}

// goodModules are in every root: two tiny ones, of which beta needs alpha to be
// built before it and has a script of its own to run, and Debian's acpi-call.
func goodModules() []string { return []string{"alpha", "beta", "acpi_call"} }

// newSuite makes what is not there yet.
func newSuite(t *testing.T, in lab.Lab, s settings, name string) suite {
	t.Helper()
	s.kernels = realKernels(s.kernels, in.Top)
	l := suite{Suite: in.Suite(t, name), settings: s}
	l.MakeKernels(t)
	l.stock = l.Base().Fork(t, l.Scratch)
	l.stock.Must(t, "rm -rf /var/lib/apt/lists/*_* /var/cache/apt/*.bin") // they cost each call of apt more than a second
	l.Make(t, "mkmodule", l.stock.Dir, "alpha", "1.0")
	l.Make(t, "mkmodule", l.stock.Dir, "beta", "1.0", "--depends", "alpha", "--post-remove")
	l.stock.Must(t, "dpkg -i /debs/acpi-call-dkms_*.deb")
	l.ours = l.InstallOurs(t, l.stock)
	l.stages = newStages(t)
	return l
}
