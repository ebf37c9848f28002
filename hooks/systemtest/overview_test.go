//go:build integration

package systemtest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// overview is what dkms-hooks status --json prints, as far as the tests read it.
type overview struct {
	Kernels    []kernelOverview
	Registered []string
}

type kernelOverview struct {
	Release                     string
	Complete                    bool
	Newest                      bool `json:"newest"`
	Headers, Unfinished, Depmod string
	Modules                     []moduleOverview
}

type moduleOverview struct {
	Module, Version, State, Freshness string
	Missing                           bool
	Last                              struct{ Result, Text, When, Log string }
}

// statusOf returns the overview of a root.
func statusOf(t *testing.T, r lab.Root) overview {
	t.Helper()
	out, _ := r.Run(t, "dkms-hooks status --json")
	return parseOverview(t, out)
}

func parseOverview(t *testing.T, out string) overview {
	t.Helper()
	var o overview
	require.NoError(t, json.Unmarshal([]byte(out), &o), out)
	return o
}

// on returns what is known of a kernel.
func (o overview) on(t *testing.T, kver string) kernelOverview {
	t.Helper()
	i := slices.IndexFunc(o.Kernels, func(k kernelOverview) bool { return k.Release == kver })
	require.GreaterOrEqual(t, i, 0, "%s is not in %+v", kver, o)
	return o.Kernels[i]
}

// module returns what is known of MODULE/VERSION on the kernel.
func (k kernelOverview) module(t *testing.T, name string) moduleOverview {
	t.Helper()
	i := slices.IndexFunc(k.Modules, func(m moduleOverview) bool { return m.Module+"/"+m.Version == name })
	require.GreaterOrEqual(t, i, 0, "%s is not in %+v", name, k)
	return k.Modules[i]
}

// assertIdle runs a script that must succeed and must change nothing but what the hooks
// keep for themselves.
func assertIdle(t *testing.T, r lab.Root, script string, env ...string) {
	t.Helper()
	own := []string{"var/lib/dkms-hooks", "var/log/dkms-hooks"}
	before := snapshot(t, r, own...)
	out := r.Must(t, script, env...)
	assert.Equal(t, before, snapshot(t, r, own...), "%s\n%s", script, out)
}
