//go:build integration

package systemtest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// stage is a root with the kernel packages at hand: before the kernel was
// installed, after it, and with a second kernel beside it.
type stage struct {
	fresh, settled, two lab.Root
	// caller says how the kernel packages are called.
	caller caller
}

// settled installs a kernel, unpacked first, so that one run sees image and
// headers. settledBy does so with packages of any style.
func (l suite) settled(t *testing.T, from lab.Root, style string) stage {
	t.Helper()
	return l.settledBy(t, from, callerOf(style))
}

func (l suite) settledBy(t *testing.T, from lab.Root, c caller) stage {
	t.Helper()
	s := stage{fresh: from.Fork(t, l.Scratch), caller: c}
	l.WithKernels(t, s.fresh, c.style)
	s.settled = s.fresh.Fork(t, l.Scratch)
	out := s.settled.Must(t, s.caller.install("$headers1", "$image1"), l.envOf(s.caller)...)
	require.Empty(t, present.wrong("", look(t, s.settled, l.Kver, s.modules(t)...)), out)
	return s
}

// settledTwo is settled, with a second kernel besides.
func (l suite) settledTwo(t *testing.T, from lab.Root, style string) stage {
	t.Helper()
	s := l.settled(t, from, style)
	s.two = l.withOther(t, s)
	return s
}

// stages are those of a suite by name, each made when it is first asked for and there
// until the suite ends. Only forks of them are worked in.
type stages struct {
	t  *testing.T
	mu sync.Mutex
	of map[string]stage
}

func newStages(t *testing.T) *stages { return &stages{t: t, of: map[string]stage{}} }

// get returns the stage of that name, made if it is not there.
func (s *stages) get(name string, make func(*testing.T) stage) stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	got, ok := s.of[name]
	if !ok {
		got = make(s.t)
		s.of[name] = got
	}
	return got
}

// whole is a stage with our hooks.
func (l suite) whole(style string) stage {
	return l.stages.get(style, func(t *testing.T) stage { return l.settled(t, l.ours, style) })
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
func (l suite) withOther(t *testing.T, s stage) lab.Root {
	t.Helper()
	r := s.settled.Fork(t, l.Scratch)
	out := r.Must(t, s.caller.install("$otherheaders", "$otherimage"), l.envOf(s.caller)...)
	require.Empty(t, present.wrong("", look(t, r, l.OtherKver(), s.modules(t)...)), out)
	return r
}
