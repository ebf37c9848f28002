package hooks

import (
	"slices"
	"sync"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// retries returns what reports whether a module failed on a kernel that may be started next
// and may be built with the packages that are installed now.
func retries(inv Invocation, layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	packages, compiler, kernels := packagesOf(inv), layout.Compiler(), bootable(layout)
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		return slices.Contains(kernels, kernel) && record.Kernel(kernel).Retries(packages, compiler)
	}
}

// packagesOf returns what names the installed packages, "" when that cannot be told. They
// are looked up when they are first asked for.
func packagesOf(inv Invocation) func() string {
	return sync.OnceValue(func() string {
		db, err := debpkg.Open(inv.AdminDir)
		if err != nil {
			return ""
		}
		return db.Fingerprint()
	})
}

func anyKernel(record dkmsstate.Record, is func(dkmsstate.Record, dkmsstate.Release) bool) bool {
	for kernel := range record.Kernels {
		if is(record, kernel) {
			return true
		}
	}
	return false
}
