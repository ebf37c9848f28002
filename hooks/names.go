package hooks

import (
	"slices"

	"dkms-hooks/dkmsstate"
)

// KernelNames returns the releases of all known kernels, newest first.
func KernelNames(inv Invocation) []string {
	sys := withRecord(inv)
	survey, err := sys.layout.Survey()
	if err != nil {
		return nil
	}
	var names []string
	for _, kernel := range survey.Kernels(sys.record) {
		names = append(names, string(kernel))
	}
	return names
}

// Known reports whether a kernel is among the KernelNames.
func Known(inv Invocation, kernel dkmsstate.Release) bool {
	return slices.Contains(KernelNames(inv), string(kernel))
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
