package hooks

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// A note of postponed work ends where there is nothing to do: it would be found on the kernel for ever.
// What was to be brought in still is, once the kernel has an image.
func TestPostponedWhereNothingIsToBeDone(t *testing.T) {
	for name, row := range map[string]struct {
		file    string
		keeping bool
		left    bool
	}{
		"headers alone":             {"lib/modules/6.5.0/build/include/x", true, false},
		"headers alone, and a hook": {"lib/modules/6.5.0/build/include/x", false, false},
		"nothing":                   {"x", false, false},
		"no image":                  {"lib/modules/6.5.0/kernel/own.ko", true, false},
		"no image, and a module was to be brought in": {"lib/modules/6.5.0/kernel/own.ko", false, true},
		"an image alone": {"boot/vmlinuz-6.5.0", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayground(t, t.TempDir())
			p.write(row.file, "x")
			inv := Invocation{Root: p.root, AdminDir: p.root + "/var/lib/dpkg", Script: Script{"postinst", "dkms-hooks", "amd64"}}
			layout := dkmsstate.DefaultLayout(p.root)
			require.NoError(t, record.NoteUnfinished(layout, "6.5.0", dkmsstate.Deferred, row.keeping))
			assert.Equal(t, exitOK, Reconcile(t.Context(), inv, true, io.Discard))
			assert.NotEmpty(t, layout.Unfinished("6.5.0").Why, "nothing is changed")
			assert.Equal(t, exitOK, Reconcile(t.Context(), inv, false, io.Discard))
			assert.Equal(t, row.left, layout.Unfinished("6.5.0").Why != "")
		})
	}
}
