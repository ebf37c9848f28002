package hooks

import (
	"slices"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Kernels returns the releases of all known kernels, newest first.
func Kernels(inv Invocation) []dkmsstate.Release {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return nil
	}
	return survey.Kernels(sys.record)
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
