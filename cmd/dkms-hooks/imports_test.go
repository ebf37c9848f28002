package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What runs as root in every run of dpkg has no cryptography of the network in it, and
// the packages below know nothing of those above.
func TestImports(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	for of, refused := range map[string][]string{
		"dkms-hooks/cmd/dkms-hooks":     {"openpgp", "crypto/tls", "net/http", "image"},
		"dkms-hooks/hooks":              {"urfave"},
		"dkms-hooks/debpkg":             {"dkms-hooks/dkmsstate", "dkms-hooks/hooks"},
		"dkms-hooks/dkmsstate":          {"dkms-hooks/debpkg", "dkms-hooks/hooks"},
		"dkms-hooks/dkmsstate/kmod":     {"dkms-hooks/dkmsstate/nofollow", "dkms-hooks/dkmsstate/shvars"},
		"dkms-hooks/dkmsstate/nofollow": {"dkms-hooks/dkmsstate/kmod", "dkms-hooks/dkmsstate/shvars"},
		"dkms-hooks/dkmsstate/shvars":   {"dkms-hooks/dkmsstate/kmod", "dkms-hooks/dkmsstate/nofollow"},
	} {
		out, err := exec.Command("go", "list", "-deps", "-tags", "urfave_cli_no_docs", of).Output()
		require.NoError(t, err, of)
		for imported := range strings.Lines(string(out)) {
			for _, name := range refused {
				assert.NotContains(t, strings.TrimSpace(imported), name, of)
			}
		}
	}
}
