package apply

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
)

// dkms is only asked for what cannot be determined without a shell, and its answer decides.
func TestDKMSIsAskedWhatOnlyItCanTell(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t), wanted: map[dkmsstate.Module]bool{}}
	yes, no, plain, off, installed, gone := dkmsstate.Module{Name: "yes", Version: "1.0"}, dkmsstate.Module{Name: "no", Version: "1.0"}, dkmsstate.Module{Name: "plain", Version: "1.0"}, dkmsstate.Module{Name: "off", Version: "1.0"}, dkmsstate.Module{Name: "installed", Version: "1.0"}, dkmsstate.Module{Name: "gone", Version: "1.0"}
	for _, m := range []dkmsstate.Module{yes, no, installed, gone} {
		e.Register(m, "[ -e /x ] && AUTOINSTALL=\n")
	}
	e.Register(plain, "")
	e.Register(off, "AUTOINSTALL=\n")
	e.AddInstalled(installed)
	e.RemoveAll("usr/src/gone-1.0")
	e.wanted[yes] = true

	s := e.Snapshot()
	answers := Ask(context.Background(), &s, e, plan.Goal{}, nil)
	assert.Equal(t, []string{"ask no", "ask yes"}, e.calls)
	assert.Equal(t, map[string]dkmsstate.Answer{"yes/1.0": {Wanted: true}, "no/1.0": {}}, answers)
	p := plan.Autoinstall(s, plan.Goal{})
	var planned []dkmsstate.Module
	for _, task := range p.Tasks {
		planned = append(planned, task.Module)
	}
	assert.ElementsMatch(t, []dkmsstate.Module{yes, plain}, planned)
	require.Len(t, p.Broken, 1)
	assert.Equal(t, "gone/1.0", p.Broken[0].Module)

	// A caller that may not run anything uses the last answers.
	again := e.Snapshot()
	fresh.Examine(context.Background(), &again, dkmsstate.KernelRecord{Answers: answers})
	assert.Equal(t, p.Tasks, plan.Autoinstall(again, plan.Goal{}).Tasks)
	assert.Equal(t, p.Broken, plan.Autoinstall(again, plan.Goal{}).Broken)

	e.Write("etc/dkms/no-autoinstall", "")
	e.calls = nil
	s = e.Snapshot()
	assert.Empty(t, Ask(context.Background(), &s, e, plan.Goal{}, nil))
	assert.Empty(t, e.calls)
}

// The needs of a module whose dkms.conf dkms has to read are asked for, whether it is brought
// in or rebuilt. Those of a plain one beside it are not.
func TestDKMSIsAskedForNeeds(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t), wanted: map[dkmsstate.Module]bool{}, needs: map[dkmsstate.Module][]string{}}
	coming, stale, whole, plain := dkmsstate.Module{Name: "coming", Version: "1.0"}, dkmsstate.Module{Name: "stale", Version: "1.0"}, dkmsstate.Module{Name: "whole", Version: "1.0"}, dkmsstate.Module{Name: "plain", Version: "1.0"}
	for _, m := range []dkmsstate.Module{coming, stale, whole} {
		e.Register(m, "[ -e /x ] && BUILD_DEPENDS=zz\n")
		e.needs[m] = []string{"zz"}
	}
	e.Register(plain, "")
	e.Register(dkmsstate.Module{Name: "zz", Version: "1.0"}, "")
	e.wanted[coming], e.wanted[stale] = true, true
	e.AddInstalled(stale)
	e.AddInstalled(whole)
	s := staleSnapshot(e.Root, stale)
	answers := Ask(context.Background(), &s, e, plan.Goal{}, nil)
	assert.Equal(t, []string{"ask coming", "ask stale"}, e.calls)
	assert.Equal(t, map[string]dkmsstate.Answer{"coming/1.0": {Wanted: true, Needs: []string{"zz"}}, "stale/1.0": {Wanted: true, Needs: []string{"zz"}}}, answers)
	assert.Equal(t, []string{"plain", "zz", "coming", "stale"}, planned(s))
}

// staleSnapshot returns a snapshot in which the build of a module does not fit.
func staleSnapshot(f dkmstest.Root, m dkmsstate.Module) dkmsstate.Snapshot {
	s := f.Snapshot()
	for i, b := range s.Builds {
		if b.Module == m {
			s.Builds[i].Fresh = dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: "the test says so"}
		}
	}
	return s
}

// planned returns the names of the modules in the order of the plan.
func planned(s dkmsstate.Snapshot) (names []string) {
	for _, task := range plan.Autoinstall(s, plan.Goal{}).Tasks {
		names = append(names, task.Module.Name)
	}
	return names
}

// If dkms does not report what a module needs, an earlier answer counts. Without one, the
// module is built when all others have ended.
func TestNeedsThatDKMSDoesNotTell(t *testing.T) {
	const conf = "BUILD_DEPENDS=\"$(cat /etc/x)\"\n"
	aa := dkmsstate.Module{Name: "aa", Version: "1.0"}
	fabricated := func() *scripted {
		e := &scripted{Root: dkmstest.New(t)}
		e.Register(aa, conf)
		for _, name := range []string{"bb", "mm", "zz"} {
			e.Register(dkmsstate.Module{Name: name, Version: "1.0"}, "")
		}
		return e
	}
	t.Run("an earlier answer", func(t *testing.T) {
		e, before := fabricated(), map[string]dkmsstate.Answer{"aa/1.0": {Wanted: true, Needs: []string{"mm"}}}
		s := e.Snapshot()
		fresh.Examine(context.Background(), &s, dkmsstate.KernelRecord{Answers: before})
		assert.Equal(t, before, Ask(context.Background(), &s, mute{e}, plan.Goal{}, before))
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {1}}, afterWhich(s, plan.Autoinstall(s, plan.Goal{}).Tasks))
	})
	t.Run("none", func(t *testing.T) {
		e := fabricated()
		s := e.Snapshot()
		assert.Nil(t, Ask(context.Background(), &s, mute{e}, plan.Goal{}, nil))
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {0, 1, 2}}, afterWhich(s, plan.Autoinstall(s, plan.Goal{}).Tasks))
	})
	t.Run("not wanted, and there", func(t *testing.T) {
		e := fabricated()
		e.Register(aa, conf+"AUTOINSTALL=\n")
		e.AddInstalled(aa)
		s := staleSnapshot(e.Root, aa)
		Ask(context.Background(), &s, e, plan.Goal{}, nil) // dkms prints nothing about it
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {0, 1, 2}}, afterWhich(s, plan.Autoinstall(s, plan.Goal{}).Tasks))
	})
}

// A question starts dkms, so none is asked whose answer changes nothing.
func TestNothingIsAskedInVain(t *testing.T) {
	const autoinstall, needs = "eval :\n", "BUILD_DEPENDS=\"$(cat /etc/x)\"\n"
	for name, c := range map[string]struct {
		conf   string
		change func(e *scripted)
		calls  []string
	}{
		"the latest version alone": {autoinstall, func(e *scripted) { e.Register(dkmsstate.Module{Name: "m", Version: "2.0"}, autoinstall) }, []string{"ask m"}},
		"no headers":               {needs, func(e *scripted) { e.RemoveAll("lib/modules/" + string(dkmstest.Kernel) + "/build") }, nil},
		"built, not installed":     {needs, func(e *scripted) { e.AddBuild(dkmsstate.Module{Name: "m", Version: "1.0"}) }, nil},
		"not to be installed":      {needs + "AUTOINSTALL=\n", func(*scripted) {}, nil},
		"autoinstall is off":       {autoinstall, func(e *scripted) { e.Write("etc/dkms/no-autoinstall", "") }, nil},
		"it decides":               {autoinstall, func(e *scripted) { e.RemoveAll("lib/modules/" + string(dkmstest.Kernel) + "/build") }, []string{"ask m"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &scripted{Root: dkmstest.New(t)}
			e.Register(dkmsstate.Module{Name: "m", Version: "1.0"}, c.conf)
			c.change(e)
			s := e.Snapshot()
			fresh.Examine(context.Background(), &s, dkmsstate.KernelRecord{})
			Ask(context.Background(), &s, e, plan.Goal{}, nil)
			assert.Equal(t, c.calls, e.calls)
		})
	}
}

// mute is a dkms that does not answer.
type mute struct{ *scripted }

func (mute) AskAutoinstall(context.Context, string, dkmsstate.Module, dkmsstate.Release, string) (dkmsstate.Answer, error) {
	return dkmsstate.Answer{}, errors.New("it does not say")
}

func TestAModuleThatDKMSDoesNotAnswerForIsReported(t *testing.T) {
	e, one := &scripted{Root: dkmstest.New(t)}, dkmsstate.Module{Name: "one", Version: "1.0"}
	e.Register(one, "eval\n")
	s := e.Snapshot()
	Ask(context.Background(), &s, mute{e}, plan.Goal{}, nil)
	p := plan.Autoinstall(s, plan.Goal{})
	assert.Empty(t, p.Tasks)
	assert.Equal(t, []plan.Note{{Module: "one/1.0", Text: "cannot determine whether it is to be installed automatically: it does not say"}}, p.Broken)
}

// An installed version is not replaced by an older one about which more is known.
func TestTheInstalledVersionStaysWhereOnlyDKMSCanTell(t *testing.T) {
	f, older, newer := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}, dkmsstate.Module{Name: "one", Version: "2.0"}
	f.Register(older, "")
	f.Register(newer, "eval\n")
	f.AddInstalled(newer)
	assert.Empty(t, plan.Autoinstall(f.Snapshot(), plan.Goal{}).Tasks)
}

// A question is asked in a tree that contains only the module. The tree is removed afterwards,
// and so is one that an earlier run left behind.
func TestQuestionTree(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "eval\n")
	f.Write("var/lib/dkms-hooks/question/other/stale", "")
	f.Link("/nowhere", "var/lib/dkms-hooks/question/one/1.0")
	s := f.Snapshot()
	Ask(context.Background(), &s, looking{scripted: &scripted{Root: f}, t: t}, plan.Goal{}, nil)
	assert.NotContains(t, f.Listing(), "var/lib/dkms-hooks/question")
	assert.Contains(t, f.Listing(), "var/lib/dkms/one/1.0/source")
}

// looking inspects the tree in which it is asked.
type looking struct {
	*scripted
	t *testing.T
}

func (e looking) AskAutoinstall(_ context.Context, tree string, m dkmsstate.Module, _ dkmsstate.Release, _ string) (dkmsstate.Answer, error) {
	entries, err := os.ReadDir(e.Path(tree))
	require.NoError(e.t, err)
	require.Len(e.t, entries, 1)
	target, err := os.Readlink(e.Path(tree + "/" + m.String()))
	require.NoError(e.t, err)
	assert.Equal(e.t, "/var/lib/dkms/"+m.String(), target)
	return dkmsstate.Answer{}, nil
}
