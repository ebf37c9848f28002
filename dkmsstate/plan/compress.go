package plan

import (
	"fmt"

	"dkms-hooks/dkmsstate"
)

// compressSteps is what makes a build compressed that should be.
func compressSteps(s dkmsstate.Snapshot, b dkmsstate.Build) []Step {
	plain := b.Uncompressed()
	if len(plain) == 0 || s.Compression == "" {
		return nil
	}
	return []Step{{OpCompress, fmt.Sprintf("%s is not compressed as the kernel's own modules are (%s)", plain[0], s.Compression)}}
}
