package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notes is what the maintainer scripts note, in a root.
const notes = "var/lib/dkms-hooks/links"

// removePackage runs the postrm of the package in the root, with the programs in another directory
// before all others. It returns what that prints.
func (d tree) removePackage(programs tree) string {
	cmd := exec.Command("sh", "../../debian/dkms-hooks.postrm", "remove")
	cmd.Env = []string{"PATH=" + programs.root + ":" + os.Getenv("PATH"), "DPKG_ROOT=" + d.root}
	out, err := cmd.CombinedOutput()
	require.NoError(d.t, err, string(out))
	return string(out)
}

// A removal of the package gives the hook of dkms back although somebody removed the diversion and
// left the file under its other name. The diversion of somebody else stays.
func TestPostrmWithoutTheDiversion(t *testing.T) {
	const name = "etc/kernel/prerm.d/dkms"
	for what, row := range map[string]struct {
		// newer is the file that has the name of the hook, listed who diverts it, purged whether dkms is.
		newer, listed string
		purged        bool
		want          map[string]string
	}{
		"removed by hand":               {"", "", false, map[string]string{"dkms": "dkms 1"}},
		"dkms installed its hook since": {"dkms 2", "", false, map[string]string{"dkms": "dkms 2", "dkms.dpkg-old": "dkms 1"}},
		"dkms is gone":                  {"", "", true, map[string]string{}},
		"somebody else diverts it":      {"", "LOCAL", false, map[string]string{"dkms.stock": "dkms 1"}},
	} {
		t.Run(what, func(t *testing.T) {
			d, bin := newTree(t), newTree(t)
			query := "echo installed"
			if row.purged {
				query = "exit 1"
			}
			bin.write("dpkg-query", "#!/bin/sh\n"+query+"\n")
			bin.write("dpkg-divert", "#!/bin/sh\ncase \"$*\" in *prerm.d*) echo "+row.listed+" ;; esac\n")
			d.write(notes, "diverted /"+name+"\n")
			d.write(name+".stock", "dkms 1")
			if row.newer != "" {
				d.write(name, row.newer)
			}
			out := d.removePackage(bin)
			got := map[string]string{}
			files, _ := filepath.Glob(filepath.Join(d.root, name+"*"))
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				got[filepath.Base(file)] = string(data)
			}
			assert.Equal(t, row.want, got, out)
		})
	}
}

// Whether the hook of dkms is switched off is looked at again when this package is installed again: its owner
// may have switched it on meanwhile. What became of the link of this package stays so.
func TestPostrmForgetsWhatWasOff(t *testing.T) {
	for what, row := range map[string]struct{ notes, want string }{
		"it was off":           {"was off prerm\nlinked prerm\n", ""},
		"it was switched on":   {"was off prerm\nlinked prerm\nunlinked /etc/kernel/prerm.d/dkms ../x\n", "linked prerm\nunlinked /etc/kernel/prerm.d/dkms ../x\n"},
		"under another name":   {"was off prerm\nlinked prerm\nunlinked /etc/kernel/prerm.d/zz ../x\n", "linked prerm\nunlinked /etc/kernel/prerm.d/zz ../x\n"},
		"the link was removed": {"linked prerm\n", "linked prerm\n"},
		"another hook was off": {"was off postinst\nlinked postinst\nlinked prerm\n", "linked prerm\n"},
	} {
		t.Run(what, func(t *testing.T) {
			d, bin := newTree(t), newTree(t)
			bin.write("dpkg-query", "#!/bin/sh\n")
			bin.write("dpkg-divert", "#!/bin/sh\n")
			d.write(notes, row.notes)
			d.removePackage(bin)
			got, err := os.ReadFile(d.path(notes))
			require.NoError(t, err)
			assert.Equal(t, row.want, string(got))
		})
	}
}
