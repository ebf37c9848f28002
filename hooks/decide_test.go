package hooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/debpkg"
	"dkms-hooks/debpkg/dpkgtest"
	"dkms-hooks/dkmsstate"
)

// The calls were captured from a real dpkg. A removal by prerm ends in Unbuild, and everything
// else in Keep. That includes scripts that do not run prerm.d, such as a postrm.
func TestDecideOnWhatDpkgShowed(t *testing.T) {
	dir := dpkgtest.Captures(t, "../testdata/dpkg/captures")
	calls, err := filepath.Glob(filepath.Join(dir, "*/*/*-prerm"))
	require.NoError(t, err)
	require.Greater(t, len(calls), 15)
	unbuilt := 0
	for _, call := range calls {
		t.Run(strings.TrimPrefix(call, dir+"/"), func(t *testing.T) {
			args, err := os.ReadFile(filepath.Join(call, "args"))
			require.NoError(t, err)
			env, err := os.ReadFile(filepath.Join(call, "env"))
			require.NoError(t, err)
			inv, err := ParseInvocation(Prerm, strings.Fields(string(args)), strings.Split(string(env), "\n"))
			require.NoError(t, err)
			inv.AdminDir = filepath.Join(call, "dpkg")
			want := Keep
			if inv.Action.Word == debpkg.Remove && inv.Script.Name == "prerm" {
				want = Unbuild
				unbuilt++
			}
			d := Decide(inv, ReadWorld(t.Context(), inv, dkmsstate.DefaultLayout("/")))
			assert.Equal(t, want, d.Verdict, d.Reason)
		})
	}
	assert.Greater(t, unbuilt, 8, "removals among the captures")
}

// Only a package runs the hook of a kernel again when its modules are there. installkernel(8) does
// not: `make install` before `make modules_install` is by hand.
func TestDeferByHand(t *testing.T) {
	for script, later := range map[string]bool{"": false, "postinst": true} {
		d := Decide(Invocation{Hook: Postinst, Kernel: "6.1", Script: Script{Name: script}}, World{})
		assert.Equal(t, Defer, d.Verdict)
		assert.Equal(t, later, strings.Contains(d.Reason, "its own hook runs later"), script)
		assert.Equal(t, !later, strings.Contains(d.Hint, "dkms-hooks run postinst 6.1"), script)
	}
}
