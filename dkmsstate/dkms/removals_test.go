package dkms

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
)

// Each version of dkms says which registration it drops. What was written before or after does not
// matter, nor in which parts.
func TestRemovalsReadTheWords(t *testing.T) {
	for name, c := range map[string]struct {
		output string
		want   bool
	}{
		"from dkms 3.1 on":                 {"x\nDeleting module a/1 completely from the DKMS tree.\ny", true},
		"up to dkms 2.8.5":                 {"------------------------------\nDeleting module version: 1\ncompletely from the DKMS tree.\n------------------------------\nDone.\n", true},
		"another version up to dkms 2.8.5": {"Deleting module version: 2\ncompletely from the DKMS tree.\n", false},
		"up to dkms 3.0":                   {"Deleting module a-1 completely from the DKMS tree.\n", true},
		"after another":                    {"Deleting module b/1 completely from the DKMS tree.\nDeleting module a/1 completely from the DKMS tree.\n", true},
		"before another":                   {"Deleting module a/1 completely from the DKMS tree.\nDeleting module b/1 completely from the DKMS tree.\n", true},
		"another module":                   {"Deleting module b/1 completely from the DKMS tree.\n", false},
		"another version":                  {"Deleting module a/2 completely from the DKMS tree.\n", false},
		"from one kernel":                  {"Module a/1 for kernel 6.1 (x86_64):\nDeleting /lib/modules/6.1/updates/dkms/a.ko\n", false},
		"words without a name":             {" completely from the DKMS tree.\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			whole, parts := new(Removals), new(Removals)
			_, _ = io.WriteString(whole.Output(), c.output)
			out := parts.Output()
			for i := range c.output {
				_, _ = io.WriteString(out, c.output[i:i+1])
			}
			a := dkmsstate.Module{Name: "a", Version: "1"}
			assert.Equal(t, c.want, whole.Removed(a))
			assert.Equal(t, c.want, parts.Removed(a))
			whole.Forget(a)
			assert.False(t, whole.Removed(a))
		})
	}
}
