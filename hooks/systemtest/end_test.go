//go:build integration

package systemtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// end is what a root came to.
type end struct {
	kernel, other state
	exit          int
}

// wrong says in what an end is not the ending; before is the state that it began
// with. What is compiled again is right in the end, and so is not counted here.
func (e ending) wrong(got end) []string {
	var wrong []string
	differs := func(what string, want, got any) {
		if want != got {
			wrong = append(wrong, fmt.Sprintf("%s: %v, not %v", what, got, want))
		}
	}
	differs("exit status", e.exit, got.exit)
	if e.image != anyStatus {
		differs("dpkg's status", e.image, got.kernel.image)
	}
	wrong = append(wrong, e.modules.wrong("", got.kernel)...)
	if e.other != "" {
		wrong = append(wrong, e.other.wrong("other kernel: ", got.other)...)
	}
	return wrong
}

// wrong says in what the modules of a kernel are not what they should be.
func (f fortune) wrong(kernel string, got state) []string {
	var wrong []string
	for _, name := range got.names() {
		m := got.modules[name]
		for _, is := range []struct {
			what      string
			want, got bool
		}{
			{"registered", true, m.registered},
			{"built", f == present, m.built},
			{"installed", f == present, m.installed},
			{"found", f == present, m.found},
		} {
			switch {
			case is.want && !is.got:
				wrong = append(wrong, fmt.Sprintf("%s%s is not %s", kernel, name, is.what))
			case !is.want && is.got:
				wrong = append(wrong, fmt.Sprintf("%s%s is %s", kernel, name, is.what))
			}
		}
	}
	if f == gone {
		for _, path := range got.updates {
			wrong = append(wrong, kernel+path+" is left")
		}
		for _, dir := range got.dirs {
			if strings.HasPrefix(dir, "/var/lib/dkms") {
				wrong = append(wrong, kernel+dir+" is left")
			}
		}
	}
	return wrong
}

// check holds a state against an ending, before being what it began as.
func (e ending) check(t *testing.T, before state, got end, out string) {
	t.Helper()
	assert.Empty(t, append(e.wrong(got), e.again(before, got.kernel)...), "%s\n%+v", out, got)
}

// again says what was compiled again that should have been kept.
func (e ending) again(before, got state) []string {
	var again []string
	for _, name := range got.names() {
		if e.kept && !before.modules[name].builtAt.Equal(got.modules[name].builtAt) {
			again = append(again, name+" was compiled again")
		}
	}
	return again
}

// holds is check for a state that is not compared with an earlier one.
func (e ending) holds(t *testing.T, got state, out string) {
	t.Helper()
	e.check(t, state{}, end{kernel: got}, out)
}
