//go:build integration

package systemtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// testWalk does one thing after another to two kernels, drawn by chance, to a root with
// the stock hooks and to one with ours. After each step it looks at what must hold
// whatever happened, and at what stock has right, which ours has to have right as well.
// The same seed draws the same steps.
func testWalk(t *testing.T, l suite) {
	t.Run("of", func(t *testing.T) {
		for i, style := range lab.Styles() {
			t.Run(style, func(t *testing.T) {
				l.turns.need(t, i)
				t.Parallel()
				w := walk{suite: l, stock: l.walker(t, l.stock, style), ours: l.walker(t, l.ours, style), ends: map[fortune]int{}}
				w.take(t, l.walkSteps, rand.New(rand.NewPCG(uint64(l.walkSeed), uint64(i))))
				t.Logf("%s %s: seed %d, %s", l.Name, style, l.walkSeed, w)
			})
		}
	})
}

// walk is what was done to two roots.
type walk struct {
	suite       suite
	stock, ours *walker
	taken       []string
	// ends counts how often a kernel had come to what, right how often a module was
	// right on a kernel after a step.
	ends  map[fortune]int
	right struct{ all, stock, ours, both, neither int }
}

// String sums a walk up.
func (w walk) String() string {
	return fmt.Sprintf("%d steps; kernels looked at with headers %d, without %d, gone %d; modules on kernels %d, right with stock %d, with dkms-hooks %d, with both %d, with neither %d",
		len(w.taken), w.ends[present], w.ends[unbuilt], w.ends[gone], w.right.all, w.right.stock, w.right.ours, w.right.both, w.right.neither)
}

// take takes the steps. It ends at the first that ends in a violation.
func (w *walk) take(t *testing.T, steps int, draw *rand.Rand) {
	t.Helper()
	for range steps {
		s := w.suite.step(draw)
		w.taken = append(w.taken, s.do)
		w.stock.take(t, s)
		out := w.ours.take(t, s)
		var violations []string
		for _, kver := range w.suite.kvers() {
			want, found := w.suite.violations(t, w.ours, kver)
			violations = append(violations, found...)
			w.ends[want]++
		}
		violations = append(violations, w.worse(s)...)
		if !assert.Empty(t, violations, "last of these steps:\n%s\nits output:\n%s", strings.Join(w.taken, "\n"), out) {
			return
		}
	}
}

func (l suite) kvers() []string { return []string{l.Kver, l.OtherKver()} }

// violations says what a kernel must have come to and what does not hold of it: no
// registration is lost; a kernel that is there with its headers has every module that
// its owner did not take off, loadable; one that is gone has nothing, and nothing
// half-done is left of either.
func (l suite) violations(t *testing.T, w *walker, kver string) (fortune, []string) {
	t.Helper()
	is := func(path string) bool {
		_, err := os.Stat(w.root.Path(path))
		return err == nil
	}
	got := look(t, w.root, kver, sureModules()...)
	want := unbuilt
	switch {
	case !is("lib/modules/"+kver+"/kernel") && !is("boot/vmlinuz-"+kver):
		want = gone
	case is("lib/modules/"+kver+"/kernel") && is("usr/src/linux-headers-"+kver+"/include"):
		want = present
	}
	var violations []string
	for name, m := range got.modules {
		if !m.registered {
			violations = append(violations, name+" is not registered")
		}
		if w.off[place{name, kver}] {
			delete(got.modules, name)
		}
	}
	if want != unbuilt { // without headers, what was built before may be there or not
		violations = append(violations, want.wrong("", got)...)
	}
	for _, pattern := range []string{
		"var/lib/dkms/*/*/.unbuild-" + kver, "var/lib/dkms/*/*/.backup-" + kver, "var/lib/dkms/*/*/" + kver + "/.tmp_*", "var/lib/dkms/depmod-pending-" + kver + "-x86_64",
		"var/lib/dkms/*/.dkms-hooks*", "lib/modules/" + kver + "/updates/dkms/.*",
	} {
		left, err := filepath.Glob(w.root.Path(pattern))
		require.NoError(t, err)
		for _, path := range left {
			violations = append(violations, strings.TrimPrefix(path, w.root.Dir)+" is left")
		}
	}
	if want == gone {
		if is("lib/modules/"+kver) && !is("usr/src/linux-headers-"+kver) {
			violations = append(violations, "/lib/modules/"+kver+" is left")
		}
		for p := range w.off { // with the next kernel of this name all is as ever
			if p.kver == kver {
				delete(w.off, p)
			}
		}
	}
	for i, v := range violations {
		violations[i] = fmt.Sprintf("%s: %s", kver, v)
	}
	slices.Sort(violations)
	return want, slices.Compact(violations)
}
