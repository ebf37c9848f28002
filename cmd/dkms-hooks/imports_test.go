package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed returns the lines that `go list` prints.
func listed(t *testing.T, args ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip(err)
	}
	out, err := exec.Command("go", append([]string{"list", "-tags", "urfave_cli_no_docs"}, args...)...).Output()
	require.NoError(t, err, args)
	return strings.Fields(string(out))
}

// The program runs as root in every run of dpkg: it contains no network cryptography.
func TestDependencies(t *testing.T) {
	for of, refused := range map[string][]string{
		"dkms-hooks/cmd/dkms-hooks": {"openpgp", "crypto/tls", "net/http", "image"},
		"dkms-hooks/hooks":          {"urfave"},
	} {
		for _, imported := range listed(t, "-deps", of) {
			for _, name := range refused {
				assert.NotContains(t, imported, name, of)
			}
		}
	}
}

// The packages of this module import no package above them.
func TestImports(t *testing.T) {
	const module = "dkms-hooks/"
	base := []string{"kmod", "modprobe", "nofollow", "regular", "sentinel", "shvars"}
	allowed := map[string][]string{
		"debpkg":               {"boottime", "regular", "vmlinuz"},
		"dkmsstate":            append([]string{"vmlinuz"}, base...),
		"dkmsstate/regular":    {"sentinel"},
		"dkmsstate/sentinel":   {},
		"dkmsstate/efivars":    {"regular"},
		"dkmsstate/boottime":   {"regular"},
		"dkmsstate/shvars":     {"regular"},
		"dkmsstate/nofollow":   {"regular"},
		"dkmsstate/kmod":       {"regular", "sentinel"},
		"dkmsstate/record":     append([]string{"dkmsstate", "initramfs"}, base...),
		"dkmsstate/signing":    append([]string{"dkmsstate", "boottime", "efivars"}, base...),
		"dkmsstate/reboot":     append([]string{"dkmsstate", "record"}, base...),
		"dkmsstate/fresh":      append([]string{"dkmsstate"}, base...),
		"dkmsstate/plan":       {"dkmsstate", "kmod"},
		"dkmsstate/vmlinuz":    {},
		"dkmsstate/bootloader": append([]string{"dkmsstate", "efivars", "vmlinuz"}, base...),
		"dkmsstate/dkms":       append([]string{"dkmsstate", "record"}, base...),
		"dkmsstate/apply":      append([]string{"dkmsstate", "record", "signing", "fresh", "plan", "dkms"}, base...),
		"dkmsstate/modprobe":   {"kmod", "regular"},
		"dkmsstate/initramfs":  {"kmod", "modprobe", "regular", "sentinel"},
	}
	for pkg, may := range allowed {
		for _, imported := range listed(t, "-f", `{{join .Imports "\n"}}`, module+pkg) {
			if own, ok := strings.CutPrefix(imported, module); ok {
				name := own[strings.LastIndex(own, "/")+1:]
				assert.True(t, slices.Contains(may, name), "%s imports %s", pkg, imported)
			}
		}
	}
}
