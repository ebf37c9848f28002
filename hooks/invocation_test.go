package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/debpkg"
)

func TestParseInvocation(t *testing.T) {
	remove := debpkg.Action{Word: debpkg.Remove, Raw: "remove"}
	for name, row := range map[string]struct {
		args, environ []string
		want          Invocation
	}{
		"by hand": {[]string{"6.1.0"}, nil, Invocation{
			Kernel: "6.1.0", Root: "/", AdminDir: "/var/lib/dpkg",
		}},
		"under dpkg": {
			[]string{"6.1.0", "/boot/vmlinuz-6.1.0"},
			[]string{
				"DEB_MAINT_PARAMS=remove", "DPKG_MAINTSCRIPT_NAME=prerm", "DPKG_MAINTSCRIPT_PACKAGE=p",
				"DPKG_MAINTSCRIPT_ARCH=amd64", "DPKG_ADMINDIR=/var/lib/dpkg", "DPKG_ROOT=",
			},
			Invocation{
				Kernel: "6.1.0", Action: remove, Script: Script{"prerm", "p", "amd64"}, Root: "/", AdminDir: "/var/lib/dpkg",
			},
		},
		"an action that nobody's script gave": {
			[]string{"6.1.0"}, []string{"DEB_MAINT_PARAMS=remove"},
			Invocation{Kernel: "6.1.0", Action: remove, Root: "/", AdminDir: "/var/lib/dpkg"},
		},
		"another root": {
			[]string{"6.1.0"}, []string{"DPKG_ROOT=/srv/x/"},
			Invocation{Kernel: "6.1.0", Root: "/srv/x", AdminDir: "/srv/x/var/lib/dpkg"},
		},
		"another root, its admin directory below it": {
			[]string{"6.1.0"}, []string{"DPKG_ROOT=/srv/x", "DPKG_ADMINDIR=/srv/x/db"},
			Invocation{Kernel: "6.1.0", Root: "/srv/x", AdminDir: "/srv/x/db"},
		},
		"another root, its admin directory as seen inside": {
			[]string{"6.1.0"}, []string{"DPKG_ROOT=/srv/x", "DPKG_ADMINDIR=/var/lib/dpkg"},
			Invocation{Kernel: "6.1.0", Root: "/srv/x", AdminDir: "/srv/x/var/lib/dpkg"},
		},
		"another admin directory": {
			[]string{"6.1.0"}, []string{"DPKG_ADMINDIR=/srv//db/"},
			Invocation{Kernel: "6.1.0", Root: "/", AdminDir: "/srv/db"},
		},
		"the last of two": {
			[]string{"6.1.0"}, []string{"garbage", "DPKG_ROOT=/a", "DPKG_ROOT=/b", "=x"},
			Invocation{Kernel: "6.1.0", Root: "/b", AdminDir: "/b/var/lib/dpkg"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			row.want.Hook, row.want.Environ = Prerm, row.environ
			got, err := ParseInvocation(Prerm, row.args, row.environ)
			require.NoError(t, err)
			assert.NotNil(t, got.dpkg)
			got.dpkg = nil
			assert.Equal(t, row.want, got)
		})
	}
}

// A kernel package that passes more than a person may does not fail.
func TestParseInvocationOfPackages(t *testing.T) {
	inv, err := ParseInvocation(Postinst, []string{"6.1.0", "image", "more", "and more"}, []string{"DPKG_MAINTSCRIPT_NAME=postinst"})
	require.NoError(t, err)
	assert.EqualValues(t, "6.1.0", inv.Kernel)
}

func TestParseInvocationRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		args, environ []string
		reason        string
	}{
		"no kernel":            {nil, nil, "the kernel release is missing"},
		"an empty kernel":      {[]string{""}, nil, "kernel release"},
		"a path":               {[]string{"../../etc"}, nil, "kernel release"},
		"an option":            {[]string{"--help"}, nil, "kernel release"},
		"too many arguments":   {[]string{"6.1.0", "image", "more"}, nil, "3 arguments"},
		"a relative root":      {[]string{"6.1.0"}, []string{"DPKG_ROOT=x"}, `DPKG_ROOT "x" is not an absolute path`},
		"a relative directory": {[]string{"6.1.0"}, []string{"DPKG_ADMINDIR=x"}, `DPKG_ADMINDIR "x" is not an absolute path`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseInvocation(Postinst, row.args, row.environ)
			assert.ErrorContains(t, err, row.reason)
		})
	}
}
