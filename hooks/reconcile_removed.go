package hooks

import "dkms-hooks/dkmsstate"

// removed returns a function that reports whether a removal deleted the modules of a kernel and
// it is not recorded yet how dpkg ended it.
func removed(layout dkmsstate.Layout) func(dkmsstate.Record, dkmsstate.Release) bool {
	return func(record dkmsstate.Record, kernel dkmsstate.Release) bool {
		return record.Kernel(kernel).RemovedBy != "" || len(layout.VersionsWith(dkmsstate.BackupName(kernel))) > 0
	}
}
