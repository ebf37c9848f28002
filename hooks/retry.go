package hooks

import (
	"slices"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// toolsCame reports whether dpkg's triggers say nothing but that packages with programs,
// headers or libraries were installed, which kernels and modules have to do with only where
// one of those was missing.
func (inv Invocation) toolsCame() bool {
	kernels := []string{"/lib/modules", "/usr/lib/modules", Trigger}
	return inv.Action.Word == debpkg.Triggered && len(inv.Action.Triggers) > 0 &&
		!slices.ContainsFunc(inv.Action.Triggers, func(name string) bool { return slices.Contains(kernels, name) })
}

// retries returns what reports whether a module failed on a kernel that may be started next
// and may be built with the packages that are installed now.
func retries(inv Invocation, layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	packages, kernels := packagesOf(inv), bootable(layout)
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		return slices.Contains(kernels, kernel) && record.Kernel(kernel).Retries(packages)
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
