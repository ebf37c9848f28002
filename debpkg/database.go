package debpkg

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Database is dpkg's package database at one moment: the status file and the journal, merged as
// dpkg-query does it.
type Database struct {
	dir      string
	records  map[string][]record // by name
	troubles []string
}

// record is the latest stanza of the database about one package, with its file and its parsed
// status.
type record struct {
	stanza
	from string
	want Status
}

// coinstallable reports whether the package may be installed for several architectures at the
// same time.
func (r record) coinstallable() bool { return string(r.multiArch) == "same" }

// Open reads the database of an admin directory, /var/lib/dpkg or the value of DPKG_ADMINDIR. A
// stanza that cannot be parsed is reported in Troubles, and its package is unknown. A file that
// cannot be read is an error, because the plans of dpkg are unknown then.
func Open(admindir string) (*Database, error) {
	const tries = 5
	for range tries {
		db, before, err := read(admindir)
		if err != nil {
			return nil, err
		}
		after, err := os.Lstat(filepath.Join(admindir, "status"))
		if err == nil && os.SameFile(before, after) && before.ModTime().Equal(after.ModTime()) {
			return db, nil
		}
	}
	return nil, fmt.Errorf("cannot read dpkg's database: it changed during each of %d attempts", tries)
}

// read reads the status file, then the journal. dpkg merges the second into the first, so the
// caller must check that status is still the same file.
func read(admindir string) (*Database, os.FileInfo, error) {
	data, info, err := readFile(filepath.Join(admindir, "status"))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read dpkg's status file: %w", err)
	}
	db := &Database{dir: admindir, records: make(map[string][]record, len(data)/1024)}
	db.merge(data, "status")
	if err := db.readJournal(); err != nil {
		return nil, nil, err
	}
	return db, info, nil
}

// merge adds the stanzas of a file, which override those of the files before it.
func (db *Database) merge(data []byte, from string) {
	eachStanza(data, func(s stanza) { db.put(s, from) })
}

// put records a stanza as the latest about its package. In the journal it also replaces the
// same package of another architecture, unless both can be installed together: that is how dpkg
// records a cross-grade.
func (db *Database) put(s stanza, from string) {
	r := record{stanza: s, from: from}
	if r.bad == nil {
		r.want, r.bad = ParseStatus(string(s.status))
	}
	if r.bad != nil {
		db.troubles = append(db.troubles, fmt.Sprintf("%s: the stanza of %q at line %d: %v", from, s.name, s.line, r.bad))
	}
	if s.name == nil {
		return
	}
	r.keep()
	name := string(s.name)
	same := db.records[name]
	moves := from != "status" && r.bad == nil && !r.coinstallable() && r.want.State != NotInstalled
	same = slices.DeleteFunc(same, func(old record) bool {
		return string(old.arch) == string(s.arch) || moves && !old.coinstallable()
	})
	db.records[name] = append(same, r)
}
