package hooks

import (
	"strings"

	"dkms-hooks/dkmsstate"
)

// upgraded reports whether a package replaced the version of a module that was built for the
// kernel by this one. Its prerm runs `dkms remove`, so that every kernel loses the old build;
// if the new version does not compile, nothing else says so. The proof is complete: the record
// has the old build, the old version is no longer registered, and an installed package has the
// source of the new one. As for the package itself, only the kernels that may be booted next
// count.
func (r *run) upgraded(s dkmsstate.Snapshot, m dkmsstate.Module) bool {
	if _, linked := s.Link(m.Name, s.Arch); linked || r.record == nil || !r.mattersAtBoot(s.Kernel) {
		return false
	}
	replaced := false
	for build := range r.record.Kernel(s.Kernel).Builds {
		module, _, _ := strings.Cut(build, " ") // MODULE/VERSION ARCH
		name, version, _ := strings.Cut(module, "/")
		_, known := s.Registration(dkmsstate.Module{Name: name, Version: version})
		replaced = replaced || name == m.Name && version != m.Version && !known
	}
	if !replaced {
		return false
	}
	db, err := r.inv.database()
	if err != nil {
		return false
	}
	name, err := owner(db, s.Layout.PackagedSource(m)+"/dkms.conf")
	return err == nil && name != ""
}
