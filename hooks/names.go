package hooks

import (
	"fmt"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Kernels returns the releases of all known kernels, newest first.
func Kernels(inv Invocation) []dkmsstate.Release {
	kernels, _ := readKernels(inv)
	return kernels
}

func readKernels(inv Invocation) ([]dkmsstate.Release, error) {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return nil, err
	}
	return survey.Kernels(sys.record), nil
}

// among returns an error unless a kernel is among those that are known.
func among(kernel dkmsstate.Release, known []dkmsstate.Release) error {
	switch {
	case slices.Contains(known, kernel):
		return nil
	case len(known) == 0:
		return fmt.Errorf("there is no kernel %s, nor any other", kernel)
	}
	return fmt.Errorf("there is no kernel %s; the kernels are %s", kernel, strings.Join(kernelNames(known), ", "))
}

// KernelNames returns the Kernels as text.
func KernelNames(inv Invocation) []string { return kernelNames(Kernels(inv)) }

func kernelNames(kernels []dkmsstate.Release) []string {
	var names []string
	for _, kernel := range kernels {
		names = append(names, string(kernel))
	}
	return names
}

// Known reports whether a kernel is among the Kernels.
func Known(inv Invocation, kernel dkmsstate.Release) bool {
	return slices.Contains(Kernels(inv), kernel)
}

// ModuleNames returns the modules that are registered with dkms, as NAME/VERSION.
func ModuleNames(inv Invocation) []string {
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	survey, err := layout.Survey()
	if err != nil {
		return nil
	}
	return survey.Modules()
}

// KernelPackages returns the names of the installed packages that have files of a kernel.
func KernelPackages(inv Invocation) []string {
	db, err := inv.database()
	if err != nil {
		return nil
	}
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	var names []string
	for _, kernel := range layout.InstalledKernels() {
		packages, _ := db.WithFilesOf(string(kernel), debpkg.Status.Present)
		for _, p := range packages {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
