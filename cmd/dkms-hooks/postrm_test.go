package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
			root, bin := t.TempDir(), t.TempDir()
			write := func(path, text string, mode os.FileMode) {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), mode))
			}
			query := "echo installed"
			if row.purged {
				query = "exit 1"
			}
			write(filepath.Join(bin, "dpkg-query"), "#!/bin/sh\n"+query+"\n", 0o755)
			write(filepath.Join(bin, "dpkg-divert"), "#!/bin/sh\ncase \"$*\" in *prerm.d*) echo "+row.listed+" ;; esac\n", 0o755)
			write(filepath.Join(root, "var/lib/dkms-hooks/links"), "diverted /"+name+"\n", 0o644)
			write(filepath.Join(root, name+".stock"), "dkms 1", 0o755)
			if row.newer != "" {
				write(filepath.Join(root, name), row.newer, 0o755)
			}
			cmd := exec.Command("sh", "../../debian/dkms-hooks.postrm", "remove")
			cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DPKG_ROOT=" + root}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			got := map[string]string{}
			files, _ := filepath.Glob(filepath.Join(root, name+"*"))
			for _, file := range files {
				data, err := os.ReadFile(file)
				require.NoError(t, err)
				got[strings.TrimPrefix(file, filepath.Join(root, "etc/kernel/prerm.d")+"/")] = string(data)
			}
			assert.Equal(t, row.want, got, string(out))
		})
	}
}

// Whether the hook of dkms is switched off is found anew when this package is installed again: its owner
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
			root, bin := t.TempDir(), t.TempDir()
			for _, name := range []string{"dpkg-query", "dpkg-divert"} {
				require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755))
			}
			state := filepath.Join(root, "var/lib/dkms-hooks/links")
			require.NoError(t, os.MkdirAll(filepath.Dir(state), 0o755))
			require.NoError(t, os.WriteFile(state, []byte(row.notes), 0o644))
			cmd := exec.Command("sh", "../../debian/dkms-hooks.postrm", "remove")
			cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "DPKG_ROOT=" + root}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			got, err := os.ReadFile(state)
			require.NoError(t, err)
			assert.Equal(t, row.want, string(got))
		})
	}
}
