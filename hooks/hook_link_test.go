package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// What the administrator has in the place of a link is off unless it calls the hook, and it is nobody's
// mistake unless it calls dkms. A comment calls nothing.
func TestScriptInThePlaceOfALink(t *testing.T) {
	const program = "#!/bin/sh\n# The hook @HOOK@ of kernel packages.\nexec dkms-hooks hook prerm \"$@\"\n"
	for name, row := range map[string]struct {
		text, as string
		want     linkState
	}{
		"it does nothing":                   {"#!/bin/sh\nexit 0\n", "dkms", linkOff},
		"it does nothing, and says of what": {"#!/bin/sh\n  # dkms is off here\nexit 0\n", "dkms", linkOff},
		"it calls dkms":                     {"#!/bin/sh\ndkms kernel_prerm -k \"$1\"\n", "dkms", linkBroken},
		"it calls dkms by its path":         {"#!/bin/sh\n\t/usr/lib/dkms/dkms_autoinstaller start\n", "dkms", linkBroken},
		"it calls the hook":                 {"#!/bin/sh\nnice /usr/libexec/dkms-hooks/prerm \"$@\"\n", "dkms", linkOn},
		"it calls the command":              {"#!/bin/sh\nexec nice dkms-hooks hook prerm \"$@\"\n", "dkms", linkOn},
		"it calls another hook":             {"#!/bin/sh\nnice /usr/libexec/dkms-hooks/postrm \"$@\"\n", "dkms", linkOff},
		"it does not call the hook":         {"#!/bin/sh\n#/usr/libexec/dkms-hooks/prerm\n", "dkms", linkOff},
		"a copy":                            {program, "dkms", linkOn},
		"by another name":                   {"#!/bin/sh\nnice /usr/libexec/dkms-hooks/prerm \"$@\"\n", "zz-dkms", linkOn},
		"by a name that nothing runs":       {"#!/bin/sh\nnice /usr/libexec/dkms-hooks/prerm \"$@\"\n", "dkms.mine", linkOff},
	} {
		t.Run(name, func(t *testing.T) {
			layout := dkmsstate.DefaultLayout(t.TempDir())
			for path, text := range map[string]string{"/usr/libexec/dkms-hooks/prerm": program, "/etc/kernel/prerm.d/" + row.as: row.text} {
				require.NoError(t, os.MkdirAll(filepath.Dir(layout.Path(path)), 0o755))
				require.NoError(t, os.WriteFile(layout.Path(path), []byte(text), 0o755))
			}
			got, text := links(layout)[2].state()
			assert.Equal(t, row.want, got, text)
		})
	}
}
