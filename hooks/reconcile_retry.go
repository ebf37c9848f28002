package hooks

import (
	"slices"
	"sync"

	"dkms-hooks/dkmsstate"
)

// retries returns a function that reports whether a module failed on a kernel and may succeed
// with the packages or the compiler that are installed now, or waited for headers that have come:
// no trigger says when a package of headers that its postinst completes has been configured. It
// reports false for kernels that are not bootable.
func retries(inv Invocation, layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	packages, compiler, kernels := inv.packages, sync.OnceValue(layout.Compiler), bootable(inv, layout)
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		k := record.Kernel(kernel)
		return slices.Contains(kernels, kernel) && (k.Retries(packages, compiler) || k.HeadersCame(layout, kernel))
	}
}

// anyKernel reports whether a kernel of the record matches.
func anyKernel(record dkmsstate.Record, match func(dkmsstate.Record, dkmsstate.Release) bool) bool {
	for kernel := range record.Kernels {
		if match(record, kernel) {
			return true
		}
	}
	return false
}
