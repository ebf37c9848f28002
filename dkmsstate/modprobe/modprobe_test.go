package modprobe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestModprobe(t *testing.T) {
	m := newModprobe(parse("f", []byte("blacklist be-ta\ninstall alpha /bin/false\ninstall nv-* modprobe x\ninstall [!x]_[a-b] true\nblacklist\ninstall gamma\n")))
	for name, want := range map[string][2]int{"be_ta": {1, 0}, "alpha": {0, 2}, "nv_drm": {0, 3}, "y_a": {0, 4}, "x_a": {}, "gamma": {}} {
		line, listed := m.Blacklisted(name)
		assert.Equal(t, want[0], line.Number, name)
		assert.Equal(t, want[0] > 0, listed, name)
		line, command := m.Command(name)
		assert.Equal(t, want[1], line.Number, name)
		assert.Equal(t, want[1] > 0, command, name)
	}
}

// An alias of the configuration comes before the name of a module (kmod 34).
func TestAliased(t *testing.T) {
	m := newModprobe(parse("f", []byte("alias al-pha beta\nalias nv* nouveau\nalias gamma gamma\nalias delta\n")))
	for name, want := range map[string]int{"al_pha": 1, "nvme": 2, "gamma": 0, "delta": 0, "beta": 0} {
		line, aliased := m.Aliased(name)
		assert.Equal(t, want, line.Number, name)
		assert.Equal(t, want > 0, aliased, name)
	}
}

// Of several files of the same name the first directory's counts, and the files are sorted by
// name. What kmod does not read is not read.
func TestReadLines(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	link := func(target, name string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755))
		require.NoError(t, os.Symlink(target, filepath.Join(root, name)))
	}
	write("etc/modprobe.d/20.conf", "blacklist etc20")
	write("run/modprobe.d/20.conf", "blacklist hidden")
	write("run/modprobe.d/10.conf", "blacklist run10")
	write("usr/local/lib/modprobe.d/30.conf", "blacklist local30")
	write("usr/lib/modprobe.d/40.conf", "blacklist hidden")
	write("usr/lib/modprobe.d/50.conf", "blacklist lib50")
	write("usr/lib/modprobe.d/60.conf/x.conf", "blacklist hidden")
	write("lib/modprobe.d/05.conf", "blacklist old05")
	write("etc/modprobe.d/70.txt", "blacklist hidden")
	write("etc/modprobe.d/.80.conf", "blacklist hidden")
	link(os.DevNull, "etc/modprobe.d/40.conf")
	link("nowhere", "etc/modprobe.d/50.conf")
	var names []string
	for _, l := range readLines(root, "modprobe.d") {
		names = append(names, l.Words[1]+" "+l.File)
	}
	assert.Equal(t, []string{
		"old05 /lib/modprobe.d/05.conf", "run10 /run/modprobe.d/10.conf", "etc20 /etc/modprobe.d/20.conf",
		"local30 /usr/local/lib/modprobe.d/30.conf", "lib50 /usr/lib/modprobe.d/50.conf",
	}, names)
	assert.Empty(t, readLines(t.TempDir(), "modprobe.d"))
}
