//go:build integration

package systemtest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// stage is a root with the kernel packages at hand: before the kernel was
// installed, after it, and with a second kernel beside it.
type stage struct {
	fresh, settled, two root
}

// settled installs a kernel, unpacked first, so that one run sees image and
// headers.
func (l lab) settled(t *testing.T, from root, style string) stage {
	t.Helper()
	s := stage{fresh: from.fork(t, l.scratch)}
	l.withKernels(t, s.fresh, style)
	s.settled = s.fresh.fork(t, l.scratch)
	out := s.settled.must(t, "dpkg --unpack $headers1 $image1 && dpkg --configure -a", l.env()...)
	require.Empty(t, present.wrong("", look(t, s.settled, l.kver, s.modules(t)...)), out)
	return s
}

// stages are those of a suite, each made when it is first asked for and there
// until the suite ends.
type stages struct {
	t  *testing.T
	mu sync.Mutex
	of map[string]stage
}

// whole is a stage with our hooks.
func (l lab) whole(style string) stage {
	l.stages.mu.Lock()
	defer l.stages.mu.Unlock()
	s, ok := l.stages.of[style]
	if !ok {
		s = l.settled(l.stages.t, l.ours, style)
		l.stages.of[style] = s
	}
	return s
}

// modules are those of the good modules that a stage has.
func (s stage) modules(t *testing.T) []string {
	t.Helper()
	var modules []string
	for _, name := range goodModules() {
		if lookModule(t, s.fresh, "none", name, "").registered {
			modules = append(modules, name)
		}
	}
	return modules
}

// withOther installs a second kernel beside the first.
func (l lab) withOther(t *testing.T, s stage) root {
	t.Helper()
	r := s.settled.fork(t, l.scratch)
	out := r.must(t, "dpkg --unpack $otherheaders $otherimage && dpkg --configure -a", l.env()...)
	require.Empty(t, present.wrong("", look(t, r, l.otherKver(), s.modules(t)...)), out)
	return r
}
