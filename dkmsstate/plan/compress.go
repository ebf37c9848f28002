package plan

import (
	"fmt"

	"dkms-hooks/dkmsstate"
)

// compressSteps returns the step that compresses a build if it should be compressed.
func compressSteps(s dkmsstate.Snapshot, b dkmsstate.Build) []Step {
	plain := b.Uncompressed()
	if len(plain) == 0 || s.Compression == "" {
		return nil
	}
	return []Step{{OpCompress, fmt.Sprintf("%s is not compressed like the kernel's own modules (%s)", plain[0], s.Compression)}}
}
