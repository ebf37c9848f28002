package hooks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

func TestThere(t *testing.T) {
	const status = "Package: linux-base-6.1.0\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
	const list = "/usr/lib/modules/6.1.0\n/usr/lib/modules/6.1.0/modules.order\n"
	tests := map[string]struct {
		files []string
		owned bool
		want  bool
	}{
		"nothing":                     {},
		"headers alone":               {files: []string{"lib/modules/6.1.0/build/Makefile"}},
		"modules":                     {files: []string{"lib/modules/6.1.0/kernel/a.ko"}, want: true},
		"lists of sid's base package": {files: []string{"lib/modules/6.1.0/modules.order"}, owned: true},
		"these and an image":          {files: []string{"lib/modules/6.1.0/modules.order", "boot/vmlinuz-6.1.0"}, owned: true, want: true},
		"lists of one's own kernel without modules": {files: []string{"lib/modules/6.1.0/modules.order"}, want: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(path, text string) {
				require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(text), 0o644))
			}
			for _, path := range test.files {
				write(path, "")
			}
			write("var/lib/dpkg/status", status)
			if test.owned {
				write("var/lib/dpkg/info/linux-base-6.1.0.list", list)
			}
			inv := Invocation{AdminDir: filepath.Join(root, "var/lib/dpkg")}
			assert.Equal(t, test.want, inv.there(dkmsstate.DefaultLayout(root), "6.1.0"))
			unreadable := Invocation{AdminDir: filepath.Join(root, "none")}
			assert.Equal(t, test.want || test.owned, unreadable.there(dkmsstate.DefaultLayout(root), "6.1.0"), "in doubt it is there")
		})
	}
}

// A kernel of which there is nothing is another case than one that somebody has removed in part.
func TestUnheard(t *testing.T) {
	for name, want := range map[string]bool{
		"":                              true,
		"lib/modules/6.1.1/kernel/a.ko": true,
		"lib/modules/6.1.0/a":           false,
		"boot/vmlinuz-6.1.0":            false,
		"boot/id/6.1.0/linux":           false,
		"var/lib/dkms/m/1/6.1.0/x86_64/module/m.ko": false,
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, path := range []string{"var/lib/dpkg/status", name} {
				if path != "" {
					require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(root, path), nil, 0o644))
				}
			}
			inv, err := ParseInvocation(Prerm, []string{"6.1.0"}, []string{"DPKG_ROOT=" + root})
			require.NoError(t, err)
			d := Decide(inv, ReadWorld(t.Context(), inv, dkmsstate.DefaultLayout(root)))
			assert.Equal(t, map[bool]Verdict{true: Keep, false: Unbuild}[want], d.Verdict, d.Reason)
		})
	}
}
