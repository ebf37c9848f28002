package hooks

import (
	"slices"

	"dkms-hooks/dkmsstate"
)

// retries returns what reports whether a module failed on a kernel that may be started next
// and may be built with the packages that are installed now.
func retries(inv Invocation, layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	packages, kernels := packagesOf(inv), bootable(layout)
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		return slices.Contains(kernels, kernel) && record.Kernel(kernel).Retries(packages, layout.Compiler())
	}
}

// packagesOf returns what names the installed packages, "" when that cannot be told.
func packagesOf(inv Invocation) func() string {
	database := openOnce(inv)
	return func() string {
		db, err := database()
		if err != nil {
			return ""
		}
		return db.Fingerprint()
	}
}

func anyKernel(record dkmsstate.Record, is func(dkmsstate.Record, dkmsstate.Release) bool) bool {
	for kernel := range record.Kernels {
		if is(record, kernel) {
			return true
		}
	}
	return false
}
