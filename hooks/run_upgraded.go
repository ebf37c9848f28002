package hooks

import (
	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// upgraded reports whether an upgrade of its package took a module away from the kernel: its prerm
// runs `dkms remove`, so that every kernel loses the build, and if the new source does not compile,
// nothing else says so. The proof is complete: the module was installed, its package was unpacked
// since, it was registered again, and an installed package has the new source. `dkms uninstall`
// keeps the registration. As for the package itself, only the kernels that may be booted next
// count.
func (r *run) upgraded(s dkmsstate.Snapshot, m dkmsstate.Module) bool {
	if r.record == nil {
		return false
	}
	was, known := r.record.Kernel(s.Kernel).Installed[m.Name]
	if _, linked := s.Link(m.Name, s.Arch); !known || linked || !registeredAgain(s, m.Name, was) || !r.mattersAtBoot(s.Kernel) {
		return false
	}
	db, err := r.inv.database()
	if err != nil || !unpackedAgain(db, was) {
		return false
	}
	name, err := owner(db, s.Layout.PackagedSource(m)+"/dkms.conf")
	return err == nil && name != ""
}

// registeredAgain reports whether a module that was installed is registered, and not as it was
// then.
func registeredAgain(s dkmsstate.Snapshot, name string, was dkmsstate.InstalledRecord) bool {
	m := dkmsstate.Module{Name: name, Version: was.Version}
	return len(s.RegistrationsOf(name)) > 0 && s.Layout.Registered(m) != was.Registered
}

// unpackedAgain reports whether dpkg unpacked or removed the package of a module since the module
// was installed.
func unpackedAgain(db *debpkg.Database, was dkmsstate.InstalledRecord) bool {
	p, _ := db.Lookup(was.Package, "")
	return was.Package != "" && db.Unpacked(p.Name, p.Arch) != was.Unpacked
}
