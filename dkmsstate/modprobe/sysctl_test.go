package modprobe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestModulesDisabled(t *testing.T) {
	for text, want := range map[string]bool{
		"kernel.modules_disabled=1\n":            true,
		"# a\n-kernel/modules_disabled = 1\n":    true,
		"kernel.*dules_disabled = 1\n":           true,
		"kernel.modules_disabled = 0\n":          false,
		"#kernel.modules_disabled = 1\n":         false,
		";kernel.modules_disabled = 1\n":         false,
		"kernel.kexec_load_disabled = 1\n":       false,
		"kernel.modules_disabled\nnet.x = 1\n\n": false,
	} {
		for _, name := range []string{"etc/sysctl.conf", "etc/sysctl.d/50-x.conf", "usr/lib/sysctl.d/x.conf"} {
			root := t.TempDir()
			file := filepath.Join(root, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			line, got := ModulesDisabled(root)
			assert.Equal(t, want, got, "%s: %s", name, text)
			if got {
				assert.Equal(t, "/"+name, line.File)
			}
		}
	}
}
