package oracle

import (
	"os"
	"path/filepath"

	"dkms-hooks/hooks/systemtest/lab"
)

// Oracle makes machines, lets them predict, and boots them.
type Oracle struct {
	lab.Suite
	t lab.T
	// kernels is a directory of make kernels.
	kernels string
	// firmware is the root that mkfirmware made, if a cell has a boot loader.
	firmware lab.Root
	bases    map[Base]machine
}

// Download puts the packages of the machines into the suite's root, unless they are there.
func Download(s lab.Suite) error {
	root := filepath.Join(s.Roots, s.Name)
	if _, err := os.Stat(filepath.Join(root, "debs", "oracle")); err == nil {
		return nil
	}
	_, err := s.TryMake("mkbootdebs", root)
	return err
}

// New makes what some cells begin with, of what Download has put there. It stays until the test ends. Kernels is a directory of
// kernels of make kernels.
func New(t lab.T, suite lab.Suite, kernels string, cells []Cell) *Oracle {
	t.Helper()
	o := &Oracle{Suite: suite, t: t, kernels: kernels, bases: map[Base]machine{}}
	for _, c := range cells {
		o.base(c.On)
		if c.Starts != Emulator && o.firmware.Dir == "" {
			o.firmware.Dir = filepath.Join(o.Roots, "firmware")
			if _, err := os.Stat(o.firmware.Dir); err != nil {
				o.Make(t, "mkfirmware", o.firmware.Dir)
			}
		}
	}
	return o
}
