package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
	t.Chdir("/")
	hook, _ := HookOf("", "/usr/libexec/dkms-hooks/postinst", "/etc/kernel/prerm.d/dkms")
	assert.Equal(t, Postinst, hook, "the first that tells")
}
