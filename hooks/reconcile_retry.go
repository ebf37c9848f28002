package hooks

import (
	"slices"

	"dkms-hooks/dkmsstate"
)

// retries returns what reports whether a module failed on a kernel that may be started next
// and may be built with the packages that are installed now.
func retries(inv Invocation, layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	packages, compiler, kernels := inv.packages, layout.Compiler(), bootable(layout)
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		return slices.Contains(kernels, kernel) && record.Kernel(kernel).Retries(packages, compiler)
	}
}

func anyKernel(record dkmsstate.Record, match func(dkmsstate.Record, dkmsstate.Release) bool) bool {
	for kernel := range record.Kernels {
		if match(record, kernel) {
			return true
		}
	}
	return false
}
