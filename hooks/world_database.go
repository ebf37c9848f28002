package hooks

import (
	"sync"

	"dkms-hooks/debpkg"
)

// database is dpkg's database, read once in a process, when it is first asked for.
type database struct {
	mu    sync.Mutex
	read  bool
	found *debpkg.Database
	err   error
	// packages is what names the installed packages, "" until somebody asks.
	packages string
}

// database returns dpkg's database as it was when it was first asked for, or why it tells
// nothing.
func (inv Invocation) database() (*debpkg.Database, error) {
	d := inv.dpkg
	if d == nil { // an invocation that nobody parsed
		return debpkg.Open(inv.AdminDir)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.read {
		d.found, d.err = debpkg.Open(inv.AdminDir)
		d.read = true
	}
	return d.found, d.err
}

// resetDatabase has the database read again when it is next asked for.
func (inv Invocation) resetDatabase() {
	if inv.dpkg == nil {
		return
	}
	inv.dpkg.mu.Lock()
	defer inv.dpkg.mu.Unlock()
	inv.dpkg.read, inv.dpkg.found, inv.dpkg.packages = false, nil, ""
}

// resetDatabaseByHand has the database read again by hand, where dpkg may have gone on while
// modules were built. dpkg waits for a maintainer script.
func (inv Invocation) resetDatabaseByHand() {
	if inv.Script.Name == "" {
		inv.resetDatabase()
	}
}

// packages names the packages that are installed, "" when that cannot be told.
func (inv Invocation) packages() string {
	db, err := inv.database()
	if err != nil {
		return ""
	}
	if inv.dpkg == nil {
		return db.Fingerprint()
	}
	inv.dpkg.mu.Lock()
	defer inv.dpkg.mu.Unlock()
	if inv.dpkg.packages == "" {
		inv.dpkg.packages = db.Fingerprint()
	}
	return inv.dpkg.packages
}
