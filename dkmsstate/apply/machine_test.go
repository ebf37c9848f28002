package apply

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

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
)

// fate is what a scripted engine does with a module.
type fate int

const (
	builds fate = iota
	doesNotCompile
	exclusive     // exits with 77
	hasItself     // exits with 6, and says why
	lies          // reports success and does nothing
	forgets       // builds, and drops its registration
	removed       // somebody else removes it with dkms during the build
	forgetsForBad // drops its registration, and add fails
	fates
	uninstalled // somebody else uninstalls it with dkms during the build
)

// scripted is an Engine over a fabricated tree.
type scripted struct {
	dkmstest.Root
	fates map[string]fate
	// wanted are the modules that dkms would install unasked, and needs are their
	// BUILD_DEPENDS.
	wanted map[dkmsstate.Module]bool
	needs  map[dkmsstate.Module][]string
	mu     sync.Mutex
	calls  []string
}

func (e *scripted) call(op, name string) fate {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, op+" "+name)
	return e.fates[name]
}

func (e *scripted) Build(_ context.Context, m dkmsstate.Module, _ dkmsstate.Release, _ string, log io.Writer) error {
	switch e.call("build", m.Name) {
	case doesNotCompile:
		e.Write("var/lib/dkms/"+m.Name+"/"+m.Version+"/build/make.log", "CC x.o\nx.c:1:1: error: no\nx.c:2:2: error: more\n")
		return &dkms.CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	case exclusive:
		return &dkms.CallError{Program: "dkms", Args: []string{"build"}, Code: 77, Output: "Warning: The dkms.conf\nfor module x includes a BUILD_EXCLUSIVE directive\n"}
	case lies:
		return nil
	case removed:
		e.RemoveAll("var/lib/dkms/" + m.Name)
		return &dkms.CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	case uninstalled:
		e.Remove("var/lib/dkms/" + m.Name + "/" + dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch))
	case forgets, forgetsForBad:
		e.forget(m, log)
	}
	e.AddBuild(m)
	return nil
}

// forget drops a registration, as dkms remove in a script of the module does.
func (e *scripted) forget(m dkmsstate.Module, log io.Writer) {
	_, _ = io.WriteString(log, "Deleting module "+m.String()+" completely from ")
	_, _ = io.WriteString(log, "the DKMS tree.\n")
	e.Remove("var/lib/dkms/" + m.Name + "/" + m.Version + "/source")
}

func (e *scripted) Install(_ context.Context, m dkmsstate.Module, _ dkmsstate.Release, _ string, _ io.Writer) error {
	switch e.call("install", m.Name) {
	case hasItself:
		return &dkms.CallError{Program: "dkms", Args: []string{"install"}, Code: 6, Output: "x.ko is not newer than what is already found"}
	case lies:
		return nil
	}
	e.AddInstalled(m)
	return nil
}

func (e *scripted) Unbuild(_ context.Context, m dkmsstate.Module, _ dkmsstate.Release, _ string, log io.Writer) error {
	switch e.call("unbuild", m.Name) {
	case forgets:
		e.forget(m, log)
		e.RemoveAll("var/lib/dkms/" + m.Name)
	case removed:
		e.RemoveAll("var/lib/dkms/" + m.Name + "/" + m.Version)
	}
	return nil
}

func (e *scripted) Add(_ context.Context, m dkmsstate.Module) error {
	if e.call("add", m.Name) == forgetsForBad {
		return errors.New("no")
	}
	e.Link("/usr/src/"+m.Name+"-"+m.Version, "var/lib/dkms/"+m.Name+"/"+m.Version+"/source")
	return nil
}

func (e *scripted) AskAutoinstall(_ context.Context, _ string, m dkmsstate.Module, _ dkmsstate.Release, _ string) (dkmsstate.Answer, error) {
	e.call("ask", m.Name)
	return dkmsstate.Answer{Wanted: e.wanted[m], Needs: e.needs[m]}, nil
}

func (e *scripted) PostTransaction(_ context.Context, command string) error { return nil }

func (e *scripted) Compress(_ context.Context, suffix, module string, to *os.File) error {
	data, err := os.ReadFile(module)
	if err == nil {
		_, err = fmt.Fprintf(to, "%s of %s", suffix, data)
	}
	return err
}

func (e *scripted) Initramfs(context.Context, dkmsstate.Release, io.Writer) error {
	e.calls = append(e.calls, "initramfs")
	return nil
}

func (e *scripted) AfterInitramfs(context.Context, dkmsstate.Release, io.Writer) error { return nil }

func (e *scripted) Depmod(context.Context, dkmsstate.Release) error {
	e.calls = append(e.calls, "depmod")
	e.Root.Depmod()
	return nil
}

// runTask carries out a plan of one task.
func runTask(m Machine, before dkmsstate.Snapshot, task plan.Task) Result {
	return m.Run(context.Background(), before, plan.Plan{Kernel: before.Kernel, Tasks: []plan.Task{task}}, func(int, plan.Task) {}, func(int, Result) {})[0]
}

// Whatever happens to each module, every other one that can be is installed, each task has the
// right outcome, and no registration is lost.
func TestOneFailureNeverStopsTheNext(t *testing.T) {
	property := func(drawn [5]uint8) bool {
		e := &scripted{Root: dkmstest.New(t), fates: map[string]fate{}}
		want := map[string]Outcome{}
		for i, n := range drawn {
			name, f := fmt.Sprintf("m%d", i), fate(n)%fates
			e.Register(dkmsstate.Module{Name: name, Version: "1.0"}, "")
			e.fates[name] = f
			if f == hasItself {
				e.Write("lib/modules/6.1.0-test/kernel/"+name+".ko", "the kernel's own")
				e.Root.Depmod()
			}
			want[name] = map[fate]Outcome{doesNotCompile: Failed, lies: Failed, exclusive: Skipped, hasItself: Skipped, removed: Removed}[f]
			if want[name] == "" {
				want[name] = Done
			}
		}
		before := e.Snapshot()
		m := Machine{Layout: e.Layout, Engine: e, Removals: new(dkms.Removals)}
		ended := 0
		results := m.Run(context.Background(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(_ int, r Result) {
			if r.Outcome != Again {
				ended++
			}
		})
		var stays []string
		for _, lost := range Lost(before, e.Snapshot()) {
			if !m.Removals.Removed(lost.Module) {
				ok := assert.Equal(t, removed, e.fates[lost.Module.Name], lost.Module)
				require.True(t, ok)
				stays = append(stays, lost.Module.Name)
				continue
			}
			require.NoError(t, m.PutBack(context.Background(), lost))
		}
		after := e.Snapshot()
		ok := assert.Len(t, results, len(drawn)) && assert.Equal(t, len(drawn), ended)
		ok = ok && assert.Len(t, Lost(before, after), len(stays)) && assert.Len(t, after.Registrations, len(drawn)-len(stays))
		for _, r := range results {
			name := r.Task.Module.Name
			ok = ok && assert.Equal(t, want[name], r.Outcome, name)
			ok = ok && assert.Equal(t, r.Outcome != Done, r.Err != nil, name)
			ok = ok && assert.False(t, m.Removals.Removed(r.Task.Module), "%s is registered again, or somebody else removed it", name)
			bad := Verify(after, r.Task) != nil
			ok = ok && assert.Equal(t, r.Outcome != Done, bad, name)
		}
		return ok
	}
	require.NoError(t, quick.Check(property, &quick.Config{Rand: rand.New(rand.NewSource(1)), MaxCount: 60}))
}

// A registration that a script drops within our dkms unbuild is known to be our doing, and one
// that somebody else removes at the same time is not. Both modules are taken off the kernel.
func TestUnbuildKnowsWhatItRemoved(t *testing.T) {
	ours, theirs := dkmsstate.Module{Name: "ours", Version: "1.0"}, dkmsstate.Module{Name: "theirs", Version: "1.0"}
	e := &scripted{Root: dkmstest.New(t), fates: map[string]fate{"ours": forgets, "theirs": removed}}
	for _, m := range []dkmsstate.Module{ours, theirs} {
		e.Register(m, "POST_REMOVE=gone.sh\n")
		e.AddInstalled(m)
	}
	before := e.Snapshot()
	m := Machine{Layout: e.Layout, Engine: e, Removals: new(dkms.Removals)}
	results := m.Run(context.Background(), before, plan.Unbuild(before), func(int, plan.Task) {}, func(int, Result) {})
	require.ElementsMatch(t, []string{"unbuild ours", "unbuild theirs"}, e.calls)
	for _, r := range results {
		assert.Equal(t, Done, r.Outcome, r.Err)
		assert.Empty(t, r.Log, "the log of the build stays")
	}
	after := e.Snapshot()
	assert.Empty(t, after.Builds)
	assert.Len(t, Lost(before, after), 2)
	assert.True(t, m.Removals.Removed(ours))
	assert.False(t, m.Removals.Removed(theirs))
}

// A failure contains the compiler's first error, and the path of the log with the rest.
func TestFailureIsExplained(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t), fates: map[string]fate{"bad": doesNotCompile}}
	e.Register(dkmsstate.Module{Name: "bad", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "needy", Version: "1.0"}, "BUILD_DEPENDS=bad\n")
	before := e.Snapshot()
	results := Machine{Layout: e.Layout, Engine: e}.Run(context.Background(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {})
	require.Len(t, results, 2)
	assert.EqualError(t, results[0].Err, "x.c:1:1: error: no")
	assert.Equal(t, e.Path("var/log/dkms-hooks/6.1.0-test/bad-1.0.log"), results[0].Log)
	log, err := os.ReadFile(results[0].Log)
	require.NoError(t, err)
	assert.Contains(t, string(log), "CC x.o\nx.c:1:1: error: no\n", "what dkms overwrites when it builds for the next kernel")
	assert.EqualError(t, results[1].Err, "it needs bad, which is not installed")
	assert.Equal(t, []string{"build bad"}, e.calls)
}

// dkms 2.8 adds the lines of MODULES_CONF to modprobe.d(5) when it installs a module, so it installs one
// that has them.
func TestModprobeConfIsWrittenByDKMS(t *testing.T) {
	for name, row := range map[string]struct {
		conf   string
		writes bool
		want   []string
	}{
		"dkms 2.8":              {"MODULES_CONF[0]=\"options one debug=1\"\n", true, []string{"build one", "install one"}},
		"dkms 2.8, an alias":    {"MODULES_CONF_ALIAS_TYPE[0]=eth\n", true, []string{"build one", "install one"}},
		"dkms 2.8, the second":  {"MODULES_CONF_ALIAS_TYPE[1]=eth\n", true, []string{"build one", "install one"}},
		"dkms 2.8, other lines": {"MODULES_CONF_OBSOLETES[0]=old\n", true, []string{"build one", "install one"}},
		"dkms 2.8, a shell":     {"MODULES_CONF[1]=$(true)\n", true, []string{"build one", "install one"}},
		"dkms 3":                {"MODULES_CONF[0]=\"options one debug=1\"\n", false, []string{"build one"}},
		"no lines":              {"MODULES_CONF[0]=\n", true, []string{"build one"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &scripted{Root: dkmstest.New(t)}
			e.Layout.WritesModprobeConf = row.writes
			e.Register(dkmsstate.Module{Name: "one", Version: "1.0"}, row.conf)
			before := e.Snapshot()
			results := Machine{Layout: e.Layout, Engine: e}.Run(t.Context(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {})
			require.Len(t, results, 1)
			require.NoError(t, results[0].Err)
			assert.Equal(t, row.want, e.calls)
		})
	}
}

// What needs a module is built although that one was skipped, as with dkms 3.0.11 and later, or although
// a new build or version of it failed and the old one stays installed. It is not built if that one is missing.
func TestNeedsThatAreNotBuilt(t *testing.T) {
	a, b := dkmsstate.Module{Name: "a", Version: "1.0"}, dkmsstate.Module{Name: "b", Version: "1.0"}
	for name, row := range map[string]struct {
		fate         fate
		stale, newer bool
		want         []string
	}{
		"skipped":                      {exclusive, false, false, []string{"build a", "build b"}},
		"failed":                       {doesNotCompile, false, false, []string{"build a"}},
		"stale, and it stays":          {doesNotCompile, true, false, []string{"build a", "build b"}},
		"newer, and the old one stays": {doesNotCompile, false, true, []string{"build a", "build b"}},
		"stale, and somebody drops it": {uninstalled, true, false, []string{"build a"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &scripted{Root: dkmstest.New(t), fates: map[string]fate{"a": row.fate}}
			e.Register(a, "")
			e.Register(b, "BUILD_DEPENDS=a\n")
			if row.stale || row.newer {
				e.AddInstalled(a)
			}
			if row.newer {
				e.Register(dkmsstate.Module{Name: "a", Version: "2.0"}, "")
			}
			before := e.Snapshot()
			if row.stale {
				before.Builds[0].Fresh = dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: "other symbols"}
			}
			results := Machine{Layout: e.Layout, Engine: e}.Run(t.Context(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {})
			require.Len(t, results, 2)
			assert.Equal(t, row.want, e.calls)
		})
	}
}

// If the context ends, the tasks that were not begun are reported as failed.
func TestRunEndsWithItsContext(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t)}
	e.Register(dkmsstate.Module{Name: "a", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "b", Version: "1.0"}, "")
	ctx, cancel := context.WithCancel(context.Background())
	before := e.Snapshot()
	results := Machine{Layout: e.Layout, Engine: e}.Run(ctx, before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) { cancel() })
	require.Len(t, results, 2)
	assert.Equal(t, Done, results[0].Outcome)
	assert.ErrorIs(t, results[1].Err, context.Canceled)
	assert.Equal(t, []string{"build a"}, e.calls)
}

// depmod runs if something changed or modules.dep does not fit, and not otherwise. A depmod
// that did not help is reported.
func TestFinish(t *testing.T) {
	ctx, one := context.Background(), dkmsstate.Module{Name: "one", Version: "1.0"}
	e := &scripted{Root: dkmstest.New(t)}
	e.Register(one, "")
	e.AddInstalled(one)
	m := Machine{Layout: e.Layout, Engine: e}

	require.NoError(t, finish(m.Finish(ctx, e.Pointer(), false)))
	assert.Empty(t, e.calls)
	require.NoError(t, finish(m.Finish(ctx, e.Pointer(), true)))
	assert.Equal(t, []string{"depmod"}, e.calls)

	e.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n")
	require.NoError(t, finish(m.Finish(ctx, e.Pointer(), false)))
	assert.Equal(t, []string{"depmod", "depmod"}, e.calls)

	e.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\n")
	idle := Machine{Layout: e.Layout, Engine: idleDepmod{e}}
	after := e.Snapshot()
	unfit, err := idle.Finish(ctx, &after, false)
	require.NoError(t, err)
	assert.Equal(t, "modules.dep does not name one.ko", unfit)

	// A run that was not called for the kernel does not repeat that for ever.
	kept := dkmsstate.KernelRecord{Dep: after.Dep.DepRecord}
	read := func() dkmsstate.Snapshot {
		s, err := dkmsstate.ReadSnapshot(e.Layout, dkmstest.Kernel, dkmstest.Arch, kept)
		require.NoError(t, err)
		return s
	}
	assert.Empty(t, plan.Autoinstall(read(), plan.KeepOnly()).Depmod)
	assert.Equal(t, unfit, plan.Autoinstall(read(), plan.Goal{}).Depmod, "the kernel's own hook does")
	e.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko: \n")
	assert.Equal(t, unfit, plan.Autoinstall(read(), plan.KeepOnly()).Depmod, "so does the next after modules.dep has changed")
}

func finish(unfit string, err error) error {
	if unfit != "" {
		return errors.New(unfit)
	}
	return err
}

// idleDepmod is a depmod that does nothing.
type idleDepmod struct{ *scripted }

func (idleDepmod) Depmod(context.Context, dkmsstate.Release) error { return nil }
