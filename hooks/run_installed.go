package hooks

import (
	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// installed returns the modules that are installed on the kernel after the run, and of those that
// were before it the ones that an upgrade of their packages took away. Somebody may have decided
// about any other.
func (r *run) installed(earlier map[string]dkmsstate.InstalledRecord) map[string]dkmsstate.InstalledRecord {
	db, err := r.inv.database()
	if err != nil {
		return earlier
	}
	now := map[string]dkmsstate.InstalledRecord{}
	for name, was := range earlier {
		if _, linked := r.after.Link(name, r.after.Arch); !linked && r.tookAway(db, name, was) {
			now[name] = was
		}
	}
	var changed []dkmsstate.Module
	var sources []string
	for _, link := range r.after.Links {
		m := dkmsstate.Module{Name: link.Name, Version: link.Version}
		was := earlier[m.Name]
		switch {
		case link.Arch != r.after.Arch || link.Version == "":
		case was.Version == m.Version && was.Registered == r.after.Layout.Registered(m) && (!unpackedAgain(db, was) || beingUpgraded(db, was)):
			now[m.Name] = was
		default:
			changed, sources = append(changed, m), append(sources, r.after.Layout.PackagedSource(m)+"/dkms.conf")
		}
	}
	if len(changed) > 0 {
		holders, err := db.Holders(sources)
		if err != nil {
			return earlier
		}
		for i, m := range changed {
			p := holders[sources[i]]
			now[m.Name] = dkmsstate.InstalledRecord{Version: m.Version, Registered: r.after.Layout.Registered(m), Package: p.Name, Unpacked: db.Unpacked(p.Name, p.Arch)}
		}
	}
	if len(now) == 0 {
		return nil
	}
	return now
}

// tookAway reports whether an upgrade of its package may have taken a module away that is no
// longer installed, and nothing has followed yet. What this run tried for the module is its last
// attempt from now on. The administrator's `dkms uninstall` keeps the registration, and `dkms
// remove` happens while the package is configured and as it was unpacked.
func (r *run) tookAway(db *debpkg.Database, name string, was dkmsstate.InstalledRecord) bool {
	registered := r.after.RegistrationsOf(name)
	for _, reg := range registered {
		if _, tried := r.outcomes[reg.Module.String()]; tried {
			return false
		}
	}
	p, _ := db.Lookup(was.Package, "")
	removed := !p.Status.Present() && p.Status.State != debpkg.HalfInstalled
	if len(registered) == 0 && removed || len(registered) > 0 && !registeredAgain(r.after, name, was) {
		return false
	}
	return unpackedAgain(db, was) || beingUpgraded(db, was)
}

// beingUpgraded reports whether the package of a module is there and not configured. Its postinst may
// still take the module away.
func beingUpgraded(db *debpkg.Database, was dkmsstate.InstalledRecord) bool {
	p, _ := db.Lookup(was.Package, "")
	return was.Package != "" && !p.Status.Configured()
}
