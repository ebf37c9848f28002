package dkmsstate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
)

// Inputs names what a build for the snapshot's kernel starts from: the kernel's
// headers and the modules that are registered, each with its source and its
// dkms.conf, known by size and times. While the name stays the same, a
// build that failed fails again.
func (s Snapshot) Inputs() string {
	sum := sha256.New()
	build := s.Layout.headersDir(s.Kernel)
	for _, name := range []string{"", "include", "Makefile", "Module.symvers", "include/config/auto.conf"} {
		writeStamp(sum, filepath.Join(build, name))
	}
	for _, r := range s.Registrations {
		fmt.Fprintf(sum, "%s %q\n", r.Module, r.Source)
		source := s.Layout.inRoot(filepath.Join(s.Layout.tree(), r.Module.Name, r.Module.Version, "source"))
		writeStamp(sum, source)
		writeStamp(sum, filepath.Join(source, "dkms.conf"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
