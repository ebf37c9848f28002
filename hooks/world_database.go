package hooks

import (
	"sync"

	"dkms-hooks/debpkg"
)

// database is dpkg's database. It is read once in a process, when it is first needed.
type database struct {
	mu    sync.Mutex
	read  bool
	found *debpkg.Database
	err   error
	// packages is the fingerprint of the installed packages, "" until it is needed.
	packages string
}

// database returns dpkg's database as it was when it was first needed, or why it cannot be
// used.
func (inv Invocation) database() (*debpkg.Database, error) {
	d := inv.dpkg
	if d == nil { // an invocation that was not parsed
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

// resetDatabase makes the next call of database read the database again.
func (inv Invocation) resetDatabase() {
	if inv.dpkg == nil {
		return
	}
	inv.dpkg.mu.Lock()
	defer inv.dpkg.mu.Unlock()
	inv.dpkg.read, inv.dpkg.found, inv.dpkg.packages = false, nil, ""
}

// resetDatabaseByHand resets the database if no maintainer script is running: dpkg may have
// gone on while modules were built. dpkg waits for a maintainer script.
func (inv Invocation) resetDatabaseByHand() {
	if inv.Script.Name == "" {
		inv.resetDatabase()
	}
}

// packages returns a fingerprint of the installed packages, "" if the database cannot be read.
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
