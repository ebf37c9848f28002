package debpkg

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzParseAction(f *testing.F) {
	for _, seed := range []string{"remove", "upgrade 6.1-2", "'remove' 'in-favour' 'a' '1'", "'it'\\''s", "configure ", "deconfigure in-favour a 1 removing b 2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, params string) {
		a := ParseAction(params)
		assert.Equal(t, params, a.Raw)
		assert.NotContains(t, a.String(), "\n")
		if a.Word == None && a.Known() {
			t.Error("no action is a known one")
		}
	})
}

func FuzzParseStatus(f *testing.F) {
	f.Add("deinstall ok half-configured")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseStatus(text); err == nil {
			again, err := ParseStatus(s.String())
			require.NoError(t, err)
			assert.Equal(t, s, again)
		}
	})
}

func FuzzDatabase(f *testing.F) {
	f.Add("Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n", "Package: a\nStatus: deinstall ok half-configured\nArchitecture: amd64\nVersion: 1\n")
	f.Fuzz(func(t *testing.T, status, journal string) {
		// A good stanza before any other text must be found.
		db := memory("Package: good\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"+status, journal)
		if _, ok := db.Lookup("good", "amd64"); !ok && !strings.Contains(strings.ToLower(status+journal), "good") {
			t.Error("a stanza elsewhere hid a good one")
		}
		for _, p := range packages(db) {
			again, ok := db.Lookup(p.Name, p.Arch)
			assert.True(t, ok && again == p, "%+v is found as %+v", p, again)
		}
	})
}

// memory returns a database of a status file and journal files, 0000 and so on.
func memory(status string, journal ...string) *Database {
	db := &Database{records: map[string][]record{}}
	db.merge([]byte(status), "status")
	for i, text := range journal {
		db.merge([]byte(text), fmt.Sprintf("updates/%04d", i))
	}
	return db
}

// packages returns all packages of a database, by name and architecture.
func packages(db *Database) []Package {
	var found []Package
	for _, records := range db.records {
		for _, r := range records {
			if p, ok := r.decode(); ok {
				found = append(found, p)
			}
		}
	}
	slices.SortFunc(found, byName)
	return found
}

// describe names a package with its version and status.
func describe(p Package) string {
	name := p.Name
	if p.Arch != "" {
		name += ":" + p.Arch
	}
	return fmt.Sprintf("%s %s (%s)", name, p.Version, p.Status)
}
