//go:build integration

package systemtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// fortune is what a kernel's modules must have come to.
type fortune string

// Every module is built, installed and found by modinfo; none is built, since
// nothing can or may be; or nothing of them is left, directories included.
const (
	present fortune = "present"
	unbuilt fortune = "unbuilt"
	gone    fortune = "gone"
)

// ending is what a transition must come to. Every module stays registered
// whatever happens.
type ending struct {
	// image is dpkg's status of the image package, "" for unknown to dpkg, "any"
	// where it is not the point.
	image   string
	modules fortune
	// other are the modules of the second kernel, "" without one.
	other fortune
	// kept: nothing was compiled again.
	kept bool
	// exit is the exit status of the script.
	exit int
}

// String is the ending as the matrix shows it.
func (e ending) String() string {
	words := []string{string(e.modules)}
	if e.kept {
		words[0] += ", not compiled again"
	}
	if e.other != "" {
		words = append(words, "other kernel "+string(e.other))
	}
	if e.image != "any" {
		words = append(words, "package "+status(e.image))
	}
	if e.exit != 0 {
		words = append(words, fmt.Sprintf("exit %d", e.exit))
	}
	return strings.Join(words, "; ")
}

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
	if e.image != "any" {
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
	wrong := e.wrong(got)
	for name, m := range got.kernel.modules {
		if e.kept && !before.modules[name].builtAt.Equal(m.builtAt) {
			wrong = append(wrong, name+" was compiled again")
		}
	}
	assert.Empty(t, wrong, "%s\n%+v", out, got)
}

// holds is check for a state that is not compared with an earlier one.
func (e ending) holds(t *testing.T, got state, out string) {
	t.Helper()
	e.check(t, state{}, end{kernel: got}, out)
}
