package hooks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/plan"
)

// What somebody did with an installed module before the run ended is printed, and is no failure.
func TestVerify(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	for name, c := range map[string]struct {
		links      []dkmsstate.Link
		registered bool
		// newer reports whether the run itself installed version 2.0 after that.
		newer bool
		want  string
	}{
		"uninstalled":     {nil, true, false, "m/1.0: uninstalled by somebody else during this run, which leaves it so"},
		"another version": {[]dkmsstate.Link{{Name: "m", Arch: "x86_64", Version: "2.0"}}, true, false, "m/1.0: somebody else installed version 2.0 during this run, which leaves it so"},
		"by this run":     {[]dkmsstate.Link{{Name: "m", Arch: "x86_64", Version: "2.0"}}, true, true, ""},
		"removed":         {nil, false, false, ""}, // keepRegistrations tells it
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := &run{verdict: Autoinstall, outcomes: outcomes{}, report: newReport(&out, Invocation{})}
			after := dkmsstate.Snapshot{Arch: "x86_64", Links: c.links}
			if c.registered {
				after.Registrations = []dkmsstate.Registration{{Module: m}}
			}
			results := []apply.Result{{Task: plan.Task{Module: m, Arch: "x86_64", Steps: []plan.Step{{Op: plan.OpInstall}}}, Outcome: apply.Done, Linked: true}}
			if c.newer {
				after.Builds = []dkmsstate.Build{{Module: dkmsstate.Module{Name: "m", Version: "2.0"}, Arch: "x86_64", Files: []dkmsstate.File{{Name: "m.ko", Copy: kmod.CopySame}}}}
				newer := results[0]
				newer.Task.Module.Version = "2.0"
				results = append(results, newer)
			}
			r.verify(after, results)
			assert.Empty(t, r.outcomes)
			assert.Equal(t, c.want, strings.TrimPrefix(strings.TrimSpace(out.String()), "dkms-hooks: "))
		})
	}
}
