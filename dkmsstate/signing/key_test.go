package signing

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
)

func TestKey(t *testing.T) {
	for name, row := range map[string]struct {
		distribution, set, want string
	}{
		"Debian":                 {"debian", "", "/var/lib/dkms/mok.key"},
		"Ubuntu":                 {"ubuntu", "", "/var/lib/shim-signed/mok/MOK.priv"},
		"Ubuntu, 2.8":            {"Ubuntu20.04", "", "/var/lib/shim-signed/mok/MOK.priv"},
		"like Ubuntu and Debian": {"ubuntu debian", "", "/var/lib/shim-signed/mok/MOK.priv"},
		"like Debian and Ubuntu": {"debian ubuntu", "", "/var/lib/dkms/mok.key"},
		"unknown":                {"", "", "/var/lib/dkms/mok.key"},
		"configured":             {"ubuntu", "/k", "/k"},
	} {
		l := dkmsstate.DefaultLayout(t.TempDir())
		l.Distribution, l.Key = row.distribution, row.set
		key, _ := Key(l)
		assert.Equal(t, row.want, key, name)
	}
}
