package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHookOf(t *testing.T) {
	for _, row := range []struct {
		args, rest []string
		want       Hook
	}{
		{args: []string{"/usr/libexec/dkms-hooks/dkms-hooks", "hook", "prerm", "6.1.0", "image"}, rest: []string{"prerm", "6.1.0", "image"}, want: Prerm},
		{args: []string{"any", "hook", "header_postinst"}, rest: []string{"header_postinst"}, want: HeaderPostinst},
		{args: []string{"/etc/kernel/postrm.d/dkms", "6.1.0"}},
		{args: []string{"/usr/libexec/dkms-hooks/prerm", "6.1.0"}},
		{args: []string{"dkms-hooks", "run", "prerm", "6.1.0"}},
		{args: []string{"dkms-hooks", "hook", "preinst", "6.1.0"}},
		{args: []string{"dkms-hooks", "hook"}},
		{args: []string{"prerm"}},
		{},
	} {
		hook, rest, is := HookOf(row.args)
		assert.Equal(t, row.want != "", is, row.args)
		if is {
			assert.Equal(t, row.want, hook, row.args)
			assert.Equal(t, row.rest, rest, row.args)
		}
	}
}
