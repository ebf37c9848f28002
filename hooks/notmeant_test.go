package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// Whatever the last attempt for a module was and whatever has changed since, status, explain, the
// hook's exit status and the plan of a run agree on whether the module is meant for the kernel:
// silence needs a reason that lasts.
func TestNotMeantIsOneAnswer(t *testing.T) {
	const kernel = dkmsstate.Release("6.2.0")
	beta := dkmsstate.Module{Name: "beta", Version: "1.0"}
	lasts := map[string]dkmsstate.Last{
		"no attempt":          {},
		"excluded":            {Cause: dkmsstate.CauseExcluded, Text: dkmsstate.ExcludedText},
		"in the kernel":       {Cause: dkmsstate.CauseInKernel, Text: "the kernel contains it"},
		"taken":               {Cause: dkmsstate.CauseTaken, Text: "alpha/1.0 is installed and also contains alpha.ko"},
		"no cause, excluded":  {Text: dkmsstate.ExcludedText},
		"no cause, a file of": {Text: "alpha/1.0 is installed and also contains alpha.ko"},
	}
	type state struct{ alpha, built, rival, edited, headers bool }
	draw := rand.New(rand.NewSource(1))
	silent := 0
	for _, name := range slices.Sorted(maps.Keys(lasts)) {
		for range attempts(t, 10) {
			last := lasts[name]
			n := draw.Intn(32)
			w := state{n&1 > 0, n&2 > 0, n&4 > 0, n&8 > 0, n&16 > 0}
			p := newPlayground(t, t.TempDir())
			remove := func(names ...string) {
				for _, name := range names {
					require.NoError(t, os.RemoveAll(filepath.Join(p.root, name)))
				}
			}
			p.write("etc/dkms-hooks.conf", "Required: beta\n")
			if w.headers {
				p.write("lib/modules/6.2.0/build/include/x", "")
			}
			remove("var/lib/dkms/beta/kernel-6.2.0-x86_64", "lib/modules/6.2.0/updates/dkms/beta.ko")
			p.write("var/lib/dkms/beta/1.0/6.2.0/x86_64/module/alpha.ko", "beta's")
			if !w.built {
				remove("var/lib/dkms/beta/1.0/6.2.0")
			}
			dep := "kernel/own.ko:\nupdates/dkms/alpha.ko:\nupdates/beta.ko:\n"
			p.write("lib/modules/6.2.0/updates/beta.ko", "beta")
			p.write("lib/modules/6.2.0/modules.dep", dep)
			p.write("lib/modules/6.2.0/modules.dep.bin", dep)

			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
			require.NoError(t, err)
			inv.Hook, inv.Kernel, inv.ByHand = Postinst, kernel, true
			snapshot := func() dkmsstate.Snapshot {
				sys := withRecord(inv)
				survey, err := sys.layout.Survey()
				require.NoError(t, err)
				return survey.Snapshot(kernel, "x86_64", sys.record.Kernel(kernel))
			}
			if last != (dkmsstate.Last{}) {
				s := snapshot()
				last.Result, last.Inputs, last.Rivals = dkmsstate.LastSkipped, s.Inputs(beta.String()), s.Rivals(beta)
				data, err := json.Marshal(dkmsstate.Record{}.With(kernel, dkmsstate.KernelRecord{Last: map[string]dkmsstate.Last{beta.String(): last}}))
				require.NoError(t, err)
				p.write("var/lib/dkms-hooks/record.json", string(data))
			}
			if !w.alpha {
				remove("var/lib/dkms/alpha", "lib/modules/6.2.0/updates/dkms/alpha.ko")
			}
			if !w.rival {
				remove("lib/modules/6.2.0/updates/beta.ko")
			}
			if w.edited {
				p.write("usr/src/beta-1.0/new.c", "")
			}

			taken := w.alpha && w.built
			there := w.rival && (w.alpha || !w.built) // what dkms compared it with
			recorded := !w.edited && (strings.HasSuffix(name, "excluded") || name == "in the kernel" && there)
			how := []any{"%s, %+v", name, w}
			o, err := ReadOverview(context.Background(), inv)
			require.NoError(t, err)
			found := slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.Module == beta.String() && f.Kernel == kernel })
			require.Equal(t, !taken && !recorded, found, how...)
			e, err := ExplainModule(context.Background(), inv, "beta")
			require.NoError(t, err)
			wanted := slices.ContainsFunc(e.Links, func(l Evidence) bool { return l.Name == "wanted" && strings.HasPrefix(l.Text, "yes") })
			require.Equal(t, found, wanted, how...)
			var out bytes.Buffer
			require.Equal(t, exitOK, Run(context.Background(), inv, true, &out), out.String())
			installs := strings.Contains(out.String(), "would install beta/1.0")
			require.False(t, installs && !found && !recorded, how...)
			require.False(t, taken && installs, how...)
			sys := withRecord(inv)
			r := newRun(inv, sys, Autoinstall, &out)
			r.record, r.after = &sys.record, snapshot()
			require.Equal(t, found, r.mustFail(), how...)
			if !found {
				silent++
			}
		}
	}
	assert.Positive(t, silent)
}
