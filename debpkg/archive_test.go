package debpkg

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// makeDeb creates an archive that contains some files, with dpkg-deb.
func makeDeb(t *testing.T, path, name string, files ...string) {
	t.Helper()
	tree := t.TempDir()
	require.NoError(t, os.Chmod(tree, 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(tree, "DEBIAN"), 0o755))
	control := "Package: " + name + "\nVersion: 2\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
	require.NoError(t, os.WriteFile(filepath.Join(tree, "DEBIAN", "control"), []byte(control), 0o644))
	for _, file := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(tree, filepath.Dir(file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(tree, file), nil, 0o644))
	}
	out, err := exec.Command("dpkg-deb", "--root-owner-group", "-b", tree, path).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestArchiveThatComesIn(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("there is no dpkg-deb here")
	}
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "many"), 0o755))
	makeDeb(t, filepath.Join(dir, "one.deb"), "linux-one", "boot/vmlinuz-6.1.0-1")
	makeDeb(t, filepath.Join(dir, "many", "two.deb"), "linux-two", "usr/lib/modules/6.1.0-2/kernel/a.ko")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.deb"), []byte("no archive"), 0o644))

	files := archives(dir, []string{"dpkg", "--unpack", "--auto-deconfigure", "broken.deb", "gone.deb", "one.deb", filepath.Join(dir, "many")})
	assert.Equal(t, []string{filepath.Join(dir, "broken.deb"), filepath.Join(dir, "one.deb"), filepath.Join(dir, "many", "two.deb")}, files)

	one := Incoming{Package: "linux-one", Version: "2"}.among(t.Context(), files)
	assert.Equal(t, filepath.Join(dir, "one.deb"), one)
	assert.Empty(t, Incoming{Package: "linux-one", Version: "1"}.among(t.Context(), files))
	two := Incoming{Package: "linux-two", Version: "2"}.among(t.Context(), files)
	for archive, want := range map[string]map[string]Contains{
		one: {"6.1.0-1": ContainsYes, "6.1.0": ContainsNo, "6.1.0-2": ContainsNo},
		two: {"6.1.0-1": ContainsNo, "6.1.0-2": ContainsYes},
	} {
		for kver, brings := range want {
			got, err := ArchiveContains(t.Context(), archive, kver)
			require.NoError(t, err)
			assert.Equal(t, brings, got, "%s %s", archive, kver)
		}
	}
	_, err := ArchiveContains(t.Context(), filepath.Join(dir, "broken.deb"), "6.1.0-1")
	assert.Error(t, err)
	assert.Empty(t, Incoming{Package: "linux-one", Version: "2"}.FindArchive(t.Context()), "no dpkg runs this test")
}
