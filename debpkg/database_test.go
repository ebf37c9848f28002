package debpkg

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// admindir writes the files of a txtar archive into a new directory.
func admindir(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, f.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Data, 0o644))
	}
	return dir
}

func open(t *testing.T, archive string) *Database {
	t.Helper()
	db, err := Open(admindir(t, archive))
	require.NoError(t, err)
	return db
}

// entry returns a stanza.
func entry(name, arch, status, version string) string {
	return "Package: " + name + "\nStatus: " + status + "\nArchitecture: " + arch + "\nVersion: " + version + "\n\n"
}

func TestJournalWins(t *testing.T) {
	installed := entry("a", "amd64", "install ok installed", "1")
	for name, row := range map[string]struct {
		archive, want string
	}{
		"no journal directory": {"-- status --\n" + installed, "a:amd64 1 (install ok installed) status"},
		"the last number": {
			"-- status --\n" + installed +
				"-- updates/0001 --\n" + entry("a", "amd64", "deinstall ok half-configured", "1") +
				"-- updates/0010 --\n" + entry("a", "amd64", "deinstall ok half-installed", "1") +
				"-- updates/0009 --\n" + entry("a", "amd64", "install ok installed", "9"),
			"a:amd64 1 (deinstall ok half-installed) updates/0010",
		},
		"by number and not by spelling": {
			"-- status --\n" + installed +
				"-- updates/9 --\n" + entry("a", "amd64", "install ok unpacked", "9") +
				"-- updates/0010 --\n" + entry("a", "amd64", "install ok unpacked", "10"),
			"a:amd64 10 (install ok unpacked) updates/0010",
		},
		"scratch files are not the journal": {
			"-- status --\n" + installed +
				"-- updates/tmp.i --\n" + entry("a", "amd64", "purge ok not-installed", "1") +
				"-- updates/0001.new --\n" + entry("a", "amd64", "purge ok not-installed", "1") +
				"-- updates/99999999999999999999999 --\n" + entry("a", "amd64", "purge ok not-installed", "1"),
			"a:amd64 1 (install ok installed) status",
		},
		"a cross-grade takes the place of the other architecture": {
			"-- status --\n" + installed +
				"-- updates/0001 --\n" + entry("a", "arm64", "install ok unpacked", "1"),
			"a:arm64 1 (install ok unpacked) updates/0001",
		},
		"another package's record leaves it": {
			"-- status --\n" + installed + "-- updates/0001 --\n" + entry("b", "amd64", "deinstall ok half-configured", "1"),
			"a:amd64 1 (install ok installed) status",
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, row.archive)
			p, ok := db.Lookup("a", "")
			require.True(t, ok)
			assert.Equal(t, row.want, describe(p)+" "+p.From)
			assert.Empty(t, db.Troubles())
		})
	}
}

// A stanza that cannot be used hides its own package and no other, and is reported.
func TestBadStanzas(t *testing.T) {
	good := entry("good", "amd64", "install ok installed", "1")
	for name, row := range map[string]struct{ bad, trouble string }{
		"a line without a colon": {"Package: bad\nStatus: install ok installed\nnonsense\n", "not a field"},
		"an unknown status":      {"Package: bad\nStatus: install ok here\nArchitecture: amd64\n", "unknown state"},
		"no status":              {"Package: bad\nArchitecture: amd64\n", "it has no status"},
		"two statuses":           {"Package: bad\nStatus: install ok installed\nSTATUS: purge ok not-installed\n", "twice"},
		"no name":                {"Status: install ok installed\n", "does not name a package"},
		"a name of a path":       {"Package: ../../etc/shadow\nStatus: install ok installed\n", "does not name a package"},
		"an architecture of a path": {
			"Package: bad\nStatus: install ok installed\nArchitecture: ../x\n", "not a valid word",
		},
		"a status of two lines": {"Package: bad\nStatus: install ok\n installed\n", "continues on the next line"},
		"a continuation first":  {" x\nPackage: bad\nStatus: install ok installed\n", "continuation"},
		"a conffile list only":  {"Conffiles:\n /etc/x 00\n", "does not name a package"},
	} {
		t.Run(name, func(t *testing.T) {
			db := memory(row.bad + "\n" + good)
			require.Len(t, db.Troubles(), 1)
			assert.Contains(t, db.Troubles()[0], row.trouble)
			assert.Contains(t, db.Troubles()[0], "line 1")
			_, ok := db.Lookup("bad", "")
			assert.False(t, ok)
			p, ok := db.Lookup("good", "amd64")
			assert.True(t, ok)
			assert.Equal(t, "good:amd64 1 (install ok installed)", describe(p))
		})
	}
}

// A truncated last stanza, as a crash or a full disk leaves it, is not used.
func TestTruncatedStatus(t *testing.T) {
	text := entry("a", "amd64", "install ok installed", "1") + "Package: b\nStatus: install ok installed\nArchitecture: amd64\nVers"
	db := memory(text)
	assert.Len(t, db.Troubles(), 1)
	_, ok := db.Lookup("b", "")
	assert.False(t, ok)
	_, ok = db.Lookup("a", "")
	assert.True(t, ok)
}

func TestLookup(t *testing.T) {
	db := memory(entry("a", "i386", "deinstall ok config-files", "1") +
		entry("a", "amd64", "install ok installed", "2") +
		entry("only", "all", "deinstall ok config-files", "3"))
	for _, row := range []struct{ name, arch, want string }{
		{"a", "amd64", "a:amd64 2 (install ok installed)"},
		{"a", "i386", "a:i386 1 (deinstall ok config-files)"},
		{"a", "", "a:amd64 2 (install ok installed)"},
		{"only", "", "only:all 3 (deinstall ok config-files)"},
	} {
		p, ok := db.Lookup(row.name, row.arch)
		assert.True(t, ok)
		assert.Equal(t, row.want, describe(p))
	}
	for _, row := range [][2]string{{"a", "arm64"}, {"A", ""}, {"", ""}, {"b", ""}} {
		_, ok := db.Lookup(row[0], row[1])
		assert.False(t, ok, row)
	}
	assert.Len(t, packages(db), 3)
}

// Files that are not those of a database are an error, and none of them blocks.
func TestOpenErrors(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"no status":                 func(string) error { return nil },
		"status is a directory":     func(dir string) error { return os.Mkdir(dir+"/status", 0o755) },
		"status is a pipe":          func(dir string) error { return syscall.Mkfifo(dir+"/status", 0o644) },
		"status is a symbolic link": func(dir string) error { return os.Symlink("/dev/zero", dir+"/status") },
		"the journal is a file": func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/status", nil, 0o644), os.WriteFile(dir+"/updates", nil, 0o644))
		},
		"a journal file is a pipe": func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/status", nil, 0o644), os.Mkdir(dir+"/updates", 0o755),
				syscall.Mkfifo(dir+"/updates/0000", 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, make(dir))
			_, err := Open(dir)
			assert.ErrorContains(t, err, "cannot read dpkg's")
		})
	}
}
