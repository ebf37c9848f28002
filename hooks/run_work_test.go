package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// That a module waits for another one is reported once in a run of dpkg.
func TestKnownToWait(t *testing.T) {
	n := plan.Note{Module: "m/1", Text: "it needs other", Waits: true}
	kept := func(run string, result dkmsstate.LastResult, text string) dkmsstate.KernelRecord {
		return dkmsstate.KernelRecord{Run: run, Last: map[string]dkmsstate.Last{"m/1": {Result: result, Text: text}}}
	}
	for name, row := range map[string]struct {
		kept        dkmsstate.KernelRecord
		dpkg        string
		reconciling bool
		want        bool
	}{
		"never reported":           {dkmsstate.KernelRecord{}, "run", false, false},
		"reported in this run":     {kept("run", dkmsstate.LastWaiting, n.Text), "run", false, true},
		"in another run":           {kept("before", dkmsstate.LastWaiting, n.Text), "run", false, false},
		"by a person":              {kept("", dkmsstate.LastWaiting, n.Text), "", false, false},
		"it failed then":           {kept("run", dkmsstate.LastFailed, n.Text), "run", false, false},
		"it waited for another":    {kept("run", dkmsstate.LastWaiting, "it needs some"), "run", false, false},
		"at the end of dpkg's run": {dkmsstate.KernelRecord{}, "run", true, true},
	} {
		r := &run{dpkg: row.dpkg, reconciling: row.reconciling}
		r.inv.Script.Name = "postinst"
		assert.Equal(t, row.want, r.knownToWait(row.kept, n), name)
	}
}
