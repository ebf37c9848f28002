package dkms

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

func TestInitramfsByDirectory(t *testing.T) {
	const program, conf = "usr/sbin/mkinitramfs", "etc/initramfs-tools/initramfs.conf"
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"another tool":         {map[string]string{conf: "MODULES=dep\n"}, true},
		"the default":          {map[string]string{program: "", conf: "# comment\nMODULES=most\nBUSYBOX=auto\n"}, true},
		"netboot":              {map[string]string{program: "", conf: "MODULES=netboot\n"}, true},
		"not set":              {map[string]string{program: ""}, true},
		"dep":                  {map[string]string{program: "", conf: "MODULES=\"dep\"\n"}, false},
		"list":                 {map[string]string{program: "", conf: "MODULES=list\n"}, false},
		"a later file":         {map[string]string{program: "", conf: "MODULES=most\n", "etc/initramfs-tools/conf.d/x": "MODULES=dep\n"}, false},
		"a package's file":     {map[string]string{program: "", conf: "MODULES=most\n", "usr/share/initramfs-tools/conf.d/x": "MODULES=list\n"}, false},
		"the later one counts": {map[string]string{program: "", "usr/share/initramfs-tools/conf.d/x": "MODULES=list\n", "etc/initramfs-tools/conf.d/x": "MODULES=most\n"}, true},
		"not one of its files": {map[string]string{program: "", conf: "MODULES=most\n", "etc/initramfs-tools/conf.d/x.dpkg-old": "MODULES=dep\n"}, true},
		"not known":            {map[string]string{program: "", conf: "MODULES=$(cat /x)\n"}, false},
	} {
		l := dkmsstate.DefaultLayout(t.TempDir())
		for file, text := range c.files {
			path := filepath.Join(l.Root, file)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
		}
		assert.Equal(t, c.want, InitramfsByDirectory(l), name)
	}
}

func TestNeverUpdatesInitramfs(t *testing.T) {
	for text, want := range map[string]bool{"": false, "update_initramfs=yes\n": false, "# x\nupdate_initramfs=no\n": true, "update_initramfs=no\nupdate_initramfs=all\n": false, "update_initramfs=\"no\"\n": true} {
		l := dkmsstate.DefaultLayout(t.TempDir())
		file := l.Path("/etc/initramfs-tools/update-initramfs.conf")
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		assert.False(t, NeverUpdatesInitramfs(l), "another tool")
		program := l.Path("/usr/sbin/mkinitramfs")
		require.NoError(t, os.MkdirAll(filepath.Dir(program), 0o755))
		require.NoError(t, os.WriteFile(program, nil, 0o755))
		assert.Equal(t, want, NeverUpdatesInitramfs(l), text)
	}
}
