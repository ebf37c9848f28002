package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHookOf(t *testing.T) {
	for path, want := range map[string]Hook{
		"/usr/libexec/dkms-hooks/prerm":           Prerm,
		"header_postinst":                         HeaderPostinst,
		"/etc/kernel/postrm.d/dkms":               Postrm,
		"/root/kernel/header_postinst.d/zz-other": HeaderPostinst,
		"/usr/sbin/dkms-hooks":                    "",
		"/etc/kernel/preinst.d/dkms":              "",
		"/etc/kernel/postinst/dkms":               "",
		"dkms":                                    "",
		"":                                        "",
	} {
		hook, is := HookOf(path)
		assert.Equal(t, want, hook, path)
		assert.Equal(t, want != "", is, path)
	}
	dir := filepath.Join(t.TempDir(), "prerm.d")
	require.NoError(t, os.Mkdir(dir, 0o755))
	t.Chdir(dir)
	hook, _ := HookOf("./dkms")
	assert.Equal(t, Prerm, hook)
	_, is := HookOf("dkms-hooks")
	assert.False(t, is, "it is in PATH, and not here")
}
