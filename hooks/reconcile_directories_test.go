package hooks

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// A kernel of which a removal left nothing but directories, because dkms had a module in one of them, is
// gone. What is left of it is removed, unless an image may be started.
func TestOnlyDirectoriesAreLeft(t *testing.T) {
	for name, row := range map[string]struct {
		files []string
		left  bool
	}{
		"directories":  {nil, false},
		"a module":     {[]string{"lib/modules/6.5.0/kernel/net/own.ko"}, true},
		"an image":     {[]string{"boot/vmlinuz-6.5.0"}, true},
		"their list":   {[]string{"lib/modules/6.5.0/modules.order"}, true},
		"its modules'": {[]string{"lib/modules/6.5.0/modules.builtin"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayground(t, t.TempDir())
			p.write("lib/modules/6.5.0/kernel/net/x/m.ko", "")
			p.write("var/lib/dkms/alpha/1.0/6.5.0/x86_64/module/alpha.ko", "alpha")
			for _, file := range row.files {
				p.write(file, "x")
			}
			layout := dkmsstate.DefaultLayout(p.root)
			require.NoError(t, os.Remove(layout.Path("lib/modules/6.5.0/kernel/net/x/m.ko")))
			require.NoError(t, record.NoteUnfinished(layout, "6.5.0", dkmsstate.Interrupted, false))
			inv := Invocation{Root: p.root, AdminDir: p.root + "/var/lib/dpkg", Script: Script{"postinst", "dkms-hooks", "amd64"}}
			assert.Equal(t, exitOK, Reconcile(t.Context(), inv, false, io.Discard))
			assert.Equal(t, row.left, dkmsstate.Exists(layout.Path("lib/modules/6.5.0")))
			assert.Equal(t, row.left, dkmsstate.Exists(layout.Path("var/lib/dkms/alpha/1.0/6.5.0")))
		})
	}
}
