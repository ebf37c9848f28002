package debpkg

import (
	"os"
	"path/filepath"
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
		dir := t.TempDir()
		// A good stanza stands before whatever follows, and must be found.
		good := "Package: good\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "status"), []byte(good+status), 0o644))
		require.NoError(t, os.Mkdir(filepath.Join(dir, "updates"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "updates", "0000"), []byte(journal), 0o644))
		db, err := Open(dir)
		require.NoError(t, err)
		if _, ok := db.Lookup("good", "amd64"); !ok && !strings.Contains(strings.ToLower(status+journal), "good") {
			t.Error("a stanza elsewhere hid a good one")
		}
		db.Packages()
	})
}
