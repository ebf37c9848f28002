package dkmsstate

import (
	"path/filepath"
)

// Inputs names what a build for the snapshot's kernel starts from: the kernel's
// headers and the modules that are registered, each with its source and its
// dkms.conf, known by size and times. While the name stays the same, a
// build that failed fails again.
func (s Snapshot) Inputs() string {
	var sum stamp
	build := s.Layout.headersDir(s.Kernel)
	for _, name := range []string{"", "include", "Makefile", "Module.symvers", "include/config/auto.conf"} {
		sum.addFile(filepath.Join(build, name))
	}
	for _, r := range s.Registrations {
		sum.state = append(sum.state, r.Module.String()+" "+r.Source+"\n"...)
		source := s.Layout.inRoot(filepath.Join(s.Layout.tree(), r.Module.Name, r.Module.Version, "source"))
		sum.addFile(source)
		sum.addFile(filepath.Join(source, "dkms.conf"))
	}
	return sum.sum()
}
