//go:build integration

package systemtest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is a module whose dkms.conf or whose build does what none should.
type hostile struct {
	name string
	// conf stands at the end of its dkms.conf, build at the head of its Makefile.
	conf, build string
	// built reports whether it is built all the same.
	built bool
}

func hostiles() []hostile {
	return []hostile{
		{name: "loops", conf: `[ -z "$kernelver" ] || while :; do :; done`},
		{name: "hangs", build: `$(shell sleep 1000)`},
		{name: "forks", build: `$(shell setsid sh -c 'exec >/dev/null 2>&1; env -i sleep 1000 & sleep 1000 &' &)`, built: true},
		{name: "reads", build: `$(shell cat)`, built: true},
		{name: "closes", conf: "exec 3>&- 4>&- 5>&- 0<&-", built: true},
		{name: "prints", build: `$(info $(shell yes | head -c 3000000))`, built: true},
		{name: "exits", conf: `[ -z "$kernelver" ] || exit 0`},
		{name: "fails", conf: `[ -z "$kernelver" ] || exit 1`},
	}
}

// testBounds returns the hooks modules that loop, hang, fork, read, close, print and
// exit. None of them harms another module, the kernel package, or the next run.
func testBounds(t *testing.T, l suite) {
	r := l.small(t)
	env := l.killEnv(t)
	r.Must(t, `printf 'Timeout: 10s\n' >/etc/dkms-hooks.conf; dkms unbuild beta/1.0 -k $K; dkms unbuild alpha/1.0 -k $K`, env...)
	for _, h := range hostiles() {
		l.Make(t, "mkmodule", r.Dir, h.name, "1.0")
		source := r.Path("usr/src", h.name+"-1.0")
		appendTo(t, source+"/dkms.conf", h.conf+"\n")
		if h.build != "" {
			makefile, err := os.ReadFile(source + "/Makefile")
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(source+"/Makefile", []byte(h.build+"\n"+string(makefile)), 0o644))
		}
	}
	out := r.Must(t, `/etc/kernel/postinst.d/dkms $K; echo "exit $?"; echo "sleeping: $(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx sleep)"; flock -n /var/lib/dkms-hooks/lock echo the lock is free`, env...)
	assert.Contains(t, out, "exit 0\n")
	assert.Contains(t, out, "sleeping: 0\n", "nothing is left running")
	assert.Contains(t, out, "the lock is free")
	for _, module := range []string{"alpha", "beta"} {
		assert.True(t, l.hasModule(t, r, module), "%s is not installed\n%s", module, out)
	}
	kernel := statusOf(t, r).on(t, strings.TrimPrefix(env[0], "K="))
	for _, h := range hostiles() {
		if h.built {
			assert.True(t, l.hasModule(t, r, h.name), "%s is not installed\n%s", h.name, out)
			continue
		}
		named := linesNaming(out, h.name+"/1.0")
		assert.Len(t, named, 1, "%s is named once\n%s", h.name, out)
		assert.Equal(t, "failed", kernel.module(t, h.name+"/1.0").Last.Result, out)
	}
	log, err := os.ReadFile(r.Path("var/log/dkms-hooks", strings.TrimPrefix(env[0], "K="), "prints-1.0.log"))
	require.NoError(t, err)
	assert.Greater(t, len(log), 3000000, "the log is whole")
	assert.Less(t, len(out), 100000, "and not in what is said")
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
