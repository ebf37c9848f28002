package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What an attempt starts from are the overrides that dkms reads for the module on the kernel, and no
// others.
func TestInputsOverrides(t *testing.T) {
	m := Module{"m", "1"}
	for name, changes := range map[string]bool{
		"m.conf": true, "m-1.conf": true, "m-1-6.1.conf": true, "m-1-6.1-x86_64.conf": true, "m--6.1.conf": true,
		"mm.conf": false, "m-drm.conf": false, "m-1-6.2.conf": false, "m-2.conf": false, "m-1.conf.dpkg-old": false,
	} {
		t.Run(name, func(t *testing.T) {
			l := DefaultLayout(t.TempDir())
			s := l.EmptySnapshot("6.1")
			s.Arch, s.Registrations = "x86_64", []Registration{{Module: m}}
			before := s.Inputs(m.String())
			file := l.Path("/etc/dkms/" + name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte("AUTOINSTALL=yes\n"), 0o644))
			assert.Equal(t, changes, s.Inputs(m.String()) != before)
		})
	}
}

// The compilers are those of any name that a kernel's headers may ask for.
func TestCompiler(t *testing.T) {
	for name, is := range map[string]bool{
		"gcc": true, "cc": true, "clang": true, "gcc-14": true, "clang-19": true, "x86_64-linux-gnu-gcc-14": true, "aarch64-linux-gnu-gcc": true,
		"gcc-ar-14": false, "gcc-nm": false, "bc": false, "clang-format-19": false, "ccache": false,
	} {
		t.Run(name, func(t *testing.T) {
			l := DefaultLayout(t.TempDir())
			require.NoError(t, os.MkdirAll(l.Path("/usr/bin"), 0o755))
			before := l.Compiler()
			require.NoError(t, os.WriteFile(l.Path("/usr/bin/"+name), nil, 0o755))
			assert.Equal(t, is, l.Compiler() != before)
		})
	}
}
