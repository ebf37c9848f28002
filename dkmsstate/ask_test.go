package dkmsstate

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Only what cannot be found without a shell is asked, and what dkms answers decides.
func TestDKMSIsAskedWhatOnlyItCanTell(t *testing.T) {
	e := &scripted{fabricated: fabricate(t), wanted: map[Module]bool{}}
	yes, no, plain, off, installed, gone := Module{"yes", "1.0"}, Module{"no", "1.0"}, Module{"plain", "1.0"}, Module{"off", "1.0"}, Module{"installed", "1.0"}, Module{"gone", "1.0"}
	for _, m := range []Module{yes, no, installed, gone} {
		e.register(m, "[ -e /x ] && AUTOINSTALL=\n")
	}
	e.register(plain, "")
	e.register(off, "AUTOINSTALL=\n")
	e.install(installed)
	e.removeAll("usr/src/gone-1.0")
	e.wanted[yes] = true

	s := e.snapshot()
	answers := s.Ask(context.Background(), e, Goal{}, nil)
	assert.Equal(t, []string{"ask no", "ask yes"}, e.calls)
	assert.Equal(t, map[string]Answer{"yes/1.0": {Wanted: true}, "no/1.0": {}}, answers)
	p := PlanAutoinstall(s, Goal{})
	var planned []Module
	for _, task := range p.Tasks {
		planned = append(planned, task.Module)
	}
	assert.ElementsMatch(t, []Module{yes, plain}, planned)
	require.Len(t, p.Broken, 1)
	assert.Equal(t, "gone/1.0", p.Broken[0].Module)

	// Who may run nothing goes by the last answers.
	again := e.snapshot()
	again.Examine(context.Background(), KernelRecord{Answers: answers})
	assert.Equal(t, p.Tasks, PlanAutoinstall(again, Goal{}).Tasks)
	assert.Equal(t, p.Broken, PlanAutoinstall(again, Goal{}).Broken)

	e.write("etc/dkms/no-autoinstall", "")
	e.calls = nil
	s = e.snapshot()
	assert.Empty(t, s.Ask(context.Background(), e, Goal{}, nil))
	assert.Empty(t, e.calls)
}

// What a file that dkms has to read needs is asked, whether it is brought in or rebuilt;
// what a plain one beside it needs is not.
func TestDKMSIsAskedForNeeds(t *testing.T) {
	e := &scripted{fabricated: fabricate(t), wanted: map[Module]bool{}, needs: map[Module][]string{}}
	coming, stale, whole, plain := Module{"coming", "1.0"}, Module{"stale", "1.0"}, Module{"whole", "1.0"}, Module{"plain", "1.0"}
	for _, m := range []Module{coming, stale, whole} {
		e.register(m, "[ -e /x ] && BUILD_DEPENDS=zz\n")
		e.needs[m] = []string{"zz"}
	}
	e.register(plain, "")
	e.register(Module{"zz", "1.0"}, "")
	e.wanted[coming], e.wanted[stale] = true, true
	e.install(stale)
	e.install(whole)
	s := e.staleSnapshot(stale)
	answers := s.Ask(context.Background(), e, Goal{}, nil)
	assert.Equal(t, []string{"ask coming", "ask stale"}, e.calls)
	assert.Equal(t, map[string]Answer{"coming/1.0": {true, []string{"zz"}}, "stale/1.0": {true, []string{"zz"}}}, answers)
	assert.Equal(t, []string{"plain", "zz", "coming", "stale"}, planned(s))
}

// staleSnapshot is one in which the build of a module does not fit.
func (f fabricated) staleSnapshot(m Module) Snapshot {
	s := f.snapshot()
	for i, b := range s.Builds {
		if b.Module == m {
			s.Builds[i].Fresh = Freshness{Stale, "the test says so"}
		}
	}
	return s
}

// planned returns the names of the modules in the order of the plan.
func planned(s Snapshot) (names []string) {
	for _, task := range PlanAutoinstall(s, Goal{}).Tasks {
		names = append(names, task.Module.Name)
	}
	return names
}

// Where dkms does not tell what a module needs, an earlier answer counts; without one it is
// built when all others have ended.
func TestNeedsThatDKMSDoesNotTell(t *testing.T) {
	const conf = "BUILD_DEPENDS=\"$(cat /etc/x)\"\n"
	aa := Module{"aa", "1.0"}
	fabricated := func() *scripted {
		e := &scripted{fabricated: fabricate(t)}
		e.register(aa, conf)
		for _, name := range []string{"bb", "mm", "zz"} {
			e.register(Module{name, "1.0"}, "")
		}
		return e
	}
	t.Run("an earlier answer", func(t *testing.T) {
		e, before := fabricated(), map[string]Answer{"aa/1.0": {true, []string{"mm"}}}
		s := e.snapshot()
		s.Examine(context.Background(), KernelRecord{Answers: before})
		assert.Equal(t, before, s.Ask(context.Background(), mute{e}, Goal{}, before))
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {1}}, afterWhich(s, PlanAutoinstall(s, Goal{}).Tasks))
	})
	t.Run("none", func(t *testing.T) {
		e := fabricated()
		s := e.snapshot()
		assert.Nil(t, s.Ask(context.Background(), mute{e}, Goal{}, nil))
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {0, 1, 2}}, afterWhich(s, PlanAutoinstall(s, Goal{}).Tasks))
	})
	t.Run("not wanted, and there", func(t *testing.T) {
		e := fabricated()
		e.register(aa, conf+"AUTOINSTALL=\n")
		e.install(aa)
		s := e.staleSnapshot(aa)
		s.Ask(context.Background(), e, Goal{}, nil) // dkms prints nothing about it
		assert.Equal(t, []string{"bb", "mm", "zz", "aa"}, planned(s))
		assert.Equal(t, [][]int{nil, nil, nil, {0, 1, 2}}, afterWhich(s, PlanAutoinstall(s, Goal{}).Tasks))
	})
}

// A question starts dkms: none is asked the answer of which changes nothing.
func TestNothingIsAskedInVain(t *testing.T) {
	const autoinstall, needs = "eval :\n", "BUILD_DEPENDS=\"$(cat /etc/x)\"\n"
	for name, c := range map[string]struct {
		conf   string
		change func(e *scripted)
		calls  []string
	}{
		"the latest version alone": {autoinstall, func(e *scripted) { e.register(Module{"m", "2.0"}, autoinstall) }, []string{"ask m"}},
		"no headers":               {needs, func(e *scripted) { e.removeAll("lib/modules/" + string(testKernel) + "/build") }, nil},
		"built, not installed":     {needs, func(e *scripted) { e.build(Module{"m", "1.0"}) }, nil},
		"not to be installed":      {needs + "AUTOINSTALL=\n", func(*scripted) {}, nil},
		"autoinstall is off":       {autoinstall, func(e *scripted) { e.write("etc/dkms/no-autoinstall", "") }, nil},
		"it decides":               {autoinstall, func(e *scripted) { e.removeAll("lib/modules/" + string(testKernel) + "/build") }, []string{"ask m"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &scripted{fabricated: fabricate(t)}
			e.register(Module{"m", "1.0"}, c.conf)
			c.change(e)
			s := e.snapshot()
			s.Examine(context.Background(), KernelRecord{})
			s.Ask(context.Background(), e, Goal{}, nil)
			assert.Equal(t, c.calls, e.calls)
		})
	}
}

// mute is a dkms that does not answer.
type mute struct{ *scripted }

func (mute) AskAutoinstall(context.Context, string, Module, Release, string) (Answer, error) {
	return Answer{}, errors.New("it does not say")
}

func TestAModuleThatDKMSDoesNotAnswerForIsReported(t *testing.T) {
	e, one := &scripted{fabricated: fabricate(t)}, Module{"one", "1.0"}
	e.register(one, "eval\n")
	s := e.snapshot()
	s.Ask(context.Background(), mute{e}, Goal{}, nil)
	p := PlanAutoinstall(s, Goal{})
	assert.Empty(t, p.Tasks)
	assert.Equal(t, []Note{{Module: "one/1.0", Text: "cannot find out whether it is to be installed unasked: it does not say"}}, p.Broken)
}

// An installed version is not replaced by an older one of which more is known.
func TestTheInstalledVersionStaysWhereOnlyDKMSCanTell(t *testing.T) {
	f, older, newer := fabricate(t), Module{"one", "1.0"}, Module{"one", "2.0"}
	f.register(older, "")
	f.register(newer, "eval\n")
	f.install(newer)
	assert.Empty(t, PlanAutoinstall(f.snapshot(), Goal{}).Tasks)
}

// A question is asked in a tree that has nothing but the module, and nothing of that
// stays, nor of one that an earlier run could not finish.
func TestQuestionTree(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "eval\n")
	f.write("var/lib/dkms-hooks/question/other/stale", "")
	f.link("/nowhere", "var/lib/dkms-hooks/question/one/1.0")
	s := f.snapshot()
	s.Ask(context.Background(), looking{scripted: &scripted{fabricated: f}, t: t}, Goal{}, nil)
	assert.NotContains(t, f.listing(), "var/lib/dkms-hooks/question")
	assert.Contains(t, f.listing(), "var/lib/dkms/one/1.0/source")
}

// looking looks at the tree that it is asked in.
type looking struct {
	*scripted
	t *testing.T
}

func (e looking) AskAutoinstall(_ context.Context, tree string, m Module, _ Release, _ string) (Answer, error) {
	entries, err := os.ReadDir(e.path(tree))
	require.NoError(e.t, err)
	require.Len(e.t, entries, 1)
	target, err := os.Readlink(e.path(tree + "/" + m.String()))
	require.NoError(e.t, err)
	assert.Equal(e.t, "/var/lib/dkms/"+m.String(), target)
	return Answer{}, nil
}

// What real versions of dkms print, and how they exit.
func TestAnswersOfDKMS(t *testing.T) {
	const began, directive = "dkms autoinstall -k K\n", "DIRECTIVE: BUILD_DEPENDS+=\" dkms-hooks-question\"\n"
	for name, c := range map[string]struct {
		output string
		code   int
		answer Answer
		err    string
	}{
		"3.2.2, yes":        {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question.\n\nError! One", 11, Answer{Wanted: true}, ""},
		"3.2.2, with needs": {directive + "one/1.0 autoinstall failed due to missing dependencies: zfs dkms-hooks-question spl bar.\nError! One", 11, Answer{true, []string{"zfs", "spl", "bar"}}, ""},
		"3.0.10, yes":       {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question b\nError! One", 11, Answer{true, []string{"b"}}, ""},
		"2.8.4, yes":        {directive + "one/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question\n", 0, Answer{Wanted: true}, ""},
		"no":                {directive, 0, Answer{}, ""},
		"nothing":           {"/usr/sbin/dkms: line 2189: /dev/fd/63: No such file or directory\n", 0, Answer{}, "dkms autoinstall does not mention one/1.0"},
		"another failure":   {directive + "Error! You must be root\n", 1, Answer{}, "dkms autoinstall exited with 1: You must be root"},
		"no PACKAGE_NAME":   {directive + "\nError! Bad conf file.\nFile: x\n", 8, Answer{}, "dkms cannot use its dkms.conf: dkms autoinstall exited with 8: Bad conf file."},
		"it is not the one": {directive + "two/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question\n", 11, Answer{}, "dkms autoinstall exited with 11: two/1.0 autoinstall failed due to missing dependencies: dkms-hooks-question"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if c.code != 0 {
				err = &CallError{Program: "dkms", Args: []string{"autoinstall"}, Code: c.code, Output: c.output}
			}
			answer, err := readAnswer(Module{"one", "1.0"}, began+c.output, err)
			assert.Equal(t, c.answer, answer)
			if c.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, c.err)
			}
		})
	}
}
