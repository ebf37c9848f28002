package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"sync"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fate is what becomes of a module when a scripted engine has it.
type fate int

const (
	builds fate = iota
	doesNotCompile
	exclusive     // exits with 77
	inKernel      // exits with 6, and says why
	lies          // reports success and does nothing
	forgets       // builds, and drops its registration
	forgetsForBad // drops its registration, and add fails
	fates
)

// scripted is an Engine over a fabricated tree.
type scripted struct {
	fabricated
	fates map[string]fate
	// wanted are the modules that dkms says it would install unasked, needs their
	// BUILD_DEPENDS.
	wanted map[Module]bool
	needs  map[Module][]string
	mu     sync.Mutex
	calls  []string
}

func (e *scripted) call(op, name string) fate {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, op+" "+name)
	return e.fates[name]
}

func (e *scripted) Build(_ context.Context, m Module, _ Release, _ string, _ io.Writer) error {
	switch e.call("build", m.Name) {
	case doesNotCompile:
		e.write("var/lib/dkms/"+m.Name+"/"+m.Version+"/build/make.log", "CC x.o\nx.c:1:1: error: no\nx.c:2:2: error: more\n")
		return &CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	case exclusive:
		return &CallError{Program: "dkms", Args: []string{"build"}, Code: 77}
	case lies:
		return nil
	case forgets, forgetsForBad:
		e.remove("var/lib/dkms/" + m.Name + "/" + m.Version + "/source")
	}
	e.build(m)
	return nil
}

func (e *scripted) Install(_ context.Context, m Module, _ Release, _ string, _ io.Writer) error {
	switch e.call("install", m.Name) {
	case inKernel:
		return &CallError{Program: "dkms", Args: []string{"install"}, Code: 6, Output: "x.ko is not newer than what is already found"}
	case lies:
		return nil
	}
	e.install(m)
	return nil
}

func (e *scripted) Unbuild(_ context.Context, m Module, _ Release, _ string) error {
	e.call("unbuild", m.Name)
	return nil
}

func (e *scripted) Add(_ context.Context, m Module) error {
	if e.call("add", m.Name) == forgetsForBad {
		return errors.New("no")
	}
	e.link("/usr/src/"+m.Name+"-"+m.Version, "var/lib/dkms/"+m.Name+"/"+m.Version+"/source")
	return nil
}

func (e *scripted) AskAutoinstall(_ context.Context, _ string, m Module, _ Release, _ string) (Answer, error) {
	e.call("ask", m.Name)
	return Answer{e.wanted[m], e.needs[m]}, nil
}

func (e *scripted) Compress(_ context.Context, suffix, module string, to *os.File) error {
	data, err := os.ReadFile(module)
	if err == nil {
		_, err = fmt.Fprintf(to, "%s of %s", suffix, data)
	}
	return err
}

func (e *scripted) Initramfs(context.Context, Release) error {
	e.calls = append(e.calls, "initramfs")
	return nil
}

func (e *scripted) InitramfsHolds(context.Context, Release, []string) (bool, error) {
	return false, nil
}

func (e *scripted) Depmod(context.Context, Release) error {
	e.calls = append(e.calls, "depmod")
	e.depmod()
	return nil
}

// runTask carries out a plan of one task.
func runTask(m Machine, before Snapshot, task Task) Result {
	return m.Run(context.Background(), before, Plan{Kernel: before.Kernel, Tasks: []Task{task}}, func(int, Task) {}, func(int, Result) {})[0]
}

// Whatever becomes of each module, every other that can be is installed, each
// ends in the outcome that it should, and none is forgotten.
func TestOneFailureNeverStopsTheNext(t *testing.T) {
	property := func(drawn [5]uint8) bool {
		e := &scripted{fabricated: fabricate(t), fates: map[string]fate{}}
		want := map[string]Outcome{}
		for i, n := range drawn {
			name, f := fmt.Sprintf("m%d", i), fate(n)%fates
			e.register(Module{name, "1.0"}, "")
			e.fates[name] = f
			if f == inKernel {
				e.write("lib/modules/6.1.0-test/kernel/"+name+".ko", "the kernel's own")
				e.depmod()
			}
			want[name] = map[fate]Outcome{doesNotCompile: Failed, lies: Failed, exclusive: Skipped, inKernel: Skipped}[f]
			if want[name] == "" {
				want[name] = Done
			}
		}
		before := e.snapshot()
		m := Machine{Layout: e.layout, Engine: e}
		ended := 0
		results := m.Run(context.Background(), before, PlanAutoinstall(before, Goal{}), func(int, Task) {}, func(_ int, r Result) {
			if r.Outcome != Again {
				ended++
			}
		})
		for _, lost := range Lost(before, e.snapshot()) {
			require.NoError(t, m.PutBack(context.Background(), lost))
		}
		after := e.snapshot()
		ok := assert.Len(t, results, len(drawn)) && assert.Equal(t, len(drawn), ended)
		ok = ok && assert.Empty(t, Lost(before, after)) && assert.Len(t, after.Registrations, len(drawn))
		for _, r := range results {
			name := r.Task.Module.Name
			ok = ok && assert.Equal(t, want[name], r.Outcome, name)
			ok = ok && assert.Equal(t, r.Outcome != Done, r.Err != nil, name)
			bad := Verify(after, r.Task) != nil
			ok = ok && assert.Equal(t, r.Outcome != Done, bad, name)
		}
		return ok
	}
	require.NoError(t, quick.Check(property, &quick.Config{Rand: rand.New(rand.NewSource(1)), MaxCount: 60}))
}

// A failure says what the compiler said first, and where the rest stands.
func TestFailureIsExplained(t *testing.T) {
	e := &scripted{fabricated: fabricate(t), fates: map[string]fate{"bad": doesNotCompile}}
	e.register(Module{"bad", "1.0"}, "")
	e.register(Module{"needy", "1.0"}, "BUILD_DEPENDS=bad\n")
	before := e.snapshot()
	results := Machine{Layout: e.layout, Engine: e}.Run(context.Background(), before, PlanAutoinstall(before, Goal{}), func(int, Task) {}, func(int, Result) {})
	require.Len(t, results, 2)
	assert.EqualError(t, results[0].Err, "dkms build exited with 10: x.c:1:1: error: no")
	assert.Equal(t, e.path("var/log/dkms-hooks/6.1.0-test/bad-1.0.log"), results[0].Log)
	log, err := os.ReadFile(results[0].Log)
	require.NoError(t, err)
	assert.Contains(t, string(log), "CC x.o\nx.c:1:1: error: no\n", "what dkms overwrites when it builds for the next kernel")
	assert.EqualError(t, results[1].Err, "it needs bad, which is not installed")
	assert.Equal(t, []string{"build bad"}, e.calls)
}

// An end of the context leaves what was not begun, and says so.
func TestRunEndsWithItsContext(t *testing.T) {
	e := &scripted{fabricated: fabricate(t)}
	e.register(Module{"a", "1.0"}, "")
	e.register(Module{"b", "1.0"}, "")
	ctx, cancel := context.WithCancel(context.Background())
	before := e.snapshot()
	results := Machine{Layout: e.layout, Engine: e}.Run(ctx, before, PlanAutoinstall(before, Goal{}), func(int, Task) {}, func(int, Result) { cancel() })
	require.Len(t, results, 2)
	assert.Equal(t, Done, results[0].Outcome)
	assert.ErrorIs(t, results[1].Err, context.Canceled)
	assert.Equal(t, []string{"build a"}, e.calls)
}

// depmod runs when something changed or modules.dep does not fit, else not; a
// depmod that did not help is an error.
func TestFinish(t *testing.T) {
	ctx, one := context.Background(), Module{"one", "1.0"}
	e := &scripted{fabricated: fabricate(t)}
	e.register(one, "")
	e.install(one)
	m := Machine{Layout: e.layout, Engine: e}

	require.NoError(t, finish(m.Finish(ctx, e.pointer(), false)))
	assert.Empty(t, e.calls)
	require.NoError(t, finish(m.Finish(ctx, e.pointer(), true)))
	assert.Equal(t, []string{"depmod"}, e.calls)

	e.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n")
	require.NoError(t, finish(m.Finish(ctx, e.pointer(), false)))
	assert.Equal(t, []string{"depmod", "depmod"}, e.calls)

	e.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n")
	idle := Machine{Layout: e.layout, Engine: idleDepmod{e}}
	after := e.snapshot()
	unfit, err := idle.Finish(ctx, &after, false)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep does not name one.ko", unfit)

	// A run that was called for no kernel does not try that again for ever.
	kept := KernelRecord{Dep: after.Dep.DepRecord}
	read := func() Snapshot {
		s, err := ReadSnapshot(e.layout, testKernel, testArch, kept)
		require.NoError(t, err)
		return s
	}
	assert.Empty(t, PlanAutoinstall(read(), KeepOnly()).Depmod)
	assert.Equal(t, unfit, PlanAutoinstall(read(), Goal{}).Depmod, "the kernel's own hook does")
	e.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko: \n")
	assert.Equal(t, unfit, PlanAutoinstall(read(), KeepOnly()).Depmod, "so does the next after modules.dep has changed")
}

func finish(unfit string, err error) error {
	if unfit != "" {
		return errors.New(unfit)
	}
	return err
}

// idleDepmod is a depmod that does nothing.
type idleDepmod struct{ *scripted }

func (idleDepmod) Depmod(context.Context, Release) error { return nil }
