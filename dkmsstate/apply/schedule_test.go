package apply

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/plan"
)

// crowded is an Engine in which no build ends before meet builds have begun. It records how
// many ran at the same time.
type crowded struct {
	*scripted
	meet    int
	turn    *sync.Cond
	at      int
	arrived int
	most    int
	order   []string
}

func newCrowded(e *scripted, meet int) *crowded {
	return &crowded{scripted: e, meet: meet, turn: sync.NewCond(new(sync.Mutex))}
}

func (c *crowded) Build(ctx context.Context, m dkmsstate.Module, k dkmsstate.Release, arch string, log io.Writer) error {
	c.turn.L.Lock()
	c.at++
	c.arrived++
	c.most = max(c.most, c.at)
	c.order = append(c.order, m.Name)
	c.turn.Broadcast()
	for c.arrived < c.meet {
		c.turn.Wait()
	}
	c.at--
	c.turn.L.Unlock()
	return c.scripted.Build(ctx, m, k, arch, log)
}

// crowd registers n modules. conf contains further lines for the dkms.conf of some.
func crowd(t *testing.T, n int, conf map[int]string) *scripted {
	e := &scripted{Root: dkmstest.New(t), fates: map[string]fate{}}
	for i := range n {
		e.Register(dkmsstate.Module{Name: fmt.Sprintf("m%d", i), Version: "1.0"}, conf[i])
	}
	e.Write("var/lib/dkms/mok.key", "key")
	e.Write("var/lib/dkms/mok.pub", "certificate")
	return e
}

func (c *crowded) run(jobs int) []Result {
	before := c.Snapshot()
	return Machine{Layout: c.Layout, Engine: c, Jobs: jobs}.Run(context.Background(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {})
}

func TestBuildsSideBySide(t *testing.T) {
	c := newCrowded(crowd(t, 7, nil), 3)
	results := c.run(3)
	assert.Equal(t, 3, c.most, "three at a time, no more")
	require.Len(t, results, 7)
	for i, r := range results {
		require.NoError(t, r.Err)
		assert.Equal(t, fmt.Sprintf("m%d", i), r.Task.Module.Name, "results are in the order of the plan")
		assert.True(t, c.Snapshot().InOrder(r.Task.Module))
	}
}

func TestOneJobBuildsInOrder(t *testing.T) {
	c := newCrowded(crowd(t, 4, nil), 0)
	c.run(1)
	assert.Equal(t, 1, c.most)
	assert.Equal(t, []string{"m0", "m1", "m2", "m3"}, c.order)
}

// A module that another one needs is installed before that one begins. A module that does not
// need it does not wait.
func TestNeedsAreInstalledFirst(t *testing.T) {
	c := newCrowded(crowd(t, 4, map[int]string{0: "BUILD_DEPENDS=m3\n", 3: "BUILD_DEPENDS=m2\n"}), 0)
	for _, r := range c.run(4) {
		require.NoError(t, r.Err)
	}
	at := func(name string) int { return slices.Index(c.order, name) }
	assert.Less(t, at("m2"), at("m3"))
	assert.Less(t, at("m3"), at("m0"))
	for _, early := range []string{"m1", "m2"} {
		assert.Less(t, at(early), at("m3"))
	}
}

// Where dkms itself rebuilds modules, nothing is built side by side.
func TestRebuiltModulesAreBuiltAlone(t *testing.T) {
	c := newCrowded(crowd(t, 4, map[int]string{3: "BUILD_DEPENDS=m0\nBUILD_DEPENDS_REBUILD=yes\n"}), 0)
	c.run(4)
	assert.Equal(t, 1, c.most)
}

// A dkms.conf that sources another file, as many do with the kernel's configuration, may set
// any variable. That it rebuilds modules has to be in the file itself.
func TestAFileThatIsReadDoesNotForbidBuildingSideBySide(t *testing.T) {
	for name, c := range map[string]struct {
		conf string
		most int
	}{
		"sourced":          {". $kernel_source_dir/.config\n", 4},
		"evaluated":        {"eval \"$(cat /etc/x)\"\n", 4},
		"sourced and told": {". /etc/x\n[ -e /x ] && BUILD_DEPENDS_REBUILD=yes\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := newCrowded(crowd(t, 4, map[int]string{0: c.conf}), c.most)
			c1.wanted = map[dkmsstate.Module]bool{{Name: "m0", Version: "1.0"}: true}
			before := c1.Snapshot()
			Ask(context.Background(), &before, c1, plan.Goal{}, nil)
			Machine{Layout: c1.Layout, Engine: c1, Jobs: 4}.Run(context.Background(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {})
			assert.Len(t, c1.order, 4)
			assert.Equal(t, c.most, c1.most)
		})
	}
}

// In whatever order tasks end, each one ends, no more run than may, no module has two at the
// same time, and none begins before what it needs has ended.
func TestScheduleInAnyOrder(t *testing.T) {
	property := func(seed int64, size, limit uint8) bool {
		draw := rand.New(rand.NewSource(seed))
		tasks := make([]plan.Task, size%20)
		for i := range tasks {
			tasks[i] = plan.Task{Module: dkmsstate.Module{Name: fmt.Sprint(draw.Intn(12)), Version: fmt.Sprint(i)}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}}
			if draw.Intn(2) == 0 {
				tasks[i].Needs = []string{fmt.Sprint(draw.Intn(12))}
			}
		}
		sc := Machine{Jobs: int(limit%4) + 1}.newSchedule(dkmsstate.Snapshot{}, plan.Plan{Tasks: tasks})
		for i := range sc.tasks {
			sc.tasks[i].toGo, sc.tasks[i].memory = time.Duration(draw.Intn(9)), draw.Intn(9)
		}
		sc.free = draw.Intn(20)
		sc.keyThere = func() bool { return true }
		var running []int
		again := map[int]bool{}
		for sc.left > 0 {
			for i, ok := sc.next(); ok; i, ok = sc.next() {
				for j, other := range tasks {
					before := j < i && !sc.tasks[j].ended && slices.Contains(tasks[i].Needs, other.Module.Name)
					if before || slices.Contains(running, j) && (j == i || other.Module.Name == tasks[i].Module.Name) {
						return false
					}
				}
				if again[i] && slices.ContainsFunc(sc.tasks[:i], func(t scheduled) bool { return !t.ended }) {
					return false // a task that failed before others had ended waits for them
				}
				running = append(running, i)
				sc.begin(i)
				if len(running) > int(limit%4)+1 {
					return false
				}
			}
			if len(running) == 0 {
				return false // it would wait for ever
			}
			at := draw.Intn(len(running))
			if i, done := running[at], draw.Intn(2) == 0; done || !sc.postpone(i, dkmsstate.CauseOther) {
				sc.end(i, map[bool]Outcome{true: Done, false: Failed}[done])
			} else if again[i] {
				return false // it is postponed only once
			} else {
				again[i] = true
			}
			running = slices.Delete(running, at, at+1)
		}
		return len(running) == 0 && !slices.ContainsFunc(sc.tasks, func(t scheduled) bool { return !t.begun })
	}
	require.NoError(t, quick.Check(property, &quick.Config{Rand: rand.New(rand.NewSource(1)), MaxCount: 2000}))
}

// Two versions of one module are never built at the same time.
func TestOneTaskAModule(t *testing.T) {
	sc := Machine{Jobs: 4}.newSchedule(dkmsstate.Snapshot{}, plan.Plan{Tasks: []plan.Task{
		{Module: dkmsstate.Module{Name: "m", Version: "1"}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}},
		{Module: dkmsstate.Module{Name: "m", Version: "2"}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}},
	}})
	sc.keyThere = func() bool { return true }
	i, ok := sc.next()
	require.True(t, ok)
	sc.begin(i)
	_, ok = sc.next()
	assert.False(t, ok)
	sc.end(i, Failed)
	i, ok = sc.next()
	assert.True(t, ok && i == 1, "whatever became of the first")
}

// dkms creates its key in the first build. The others wait for it, but only until a build has
// ended well without creating one.
func TestTheKeyIsMadeByOneBuild(t *testing.T) {
	tasks := make([]plan.Task, 6)
	for i := range tasks {
		tasks[i] = plan.Task{Module: dkmsstate.Module{Name: fmt.Sprint(i), Version: "1"}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}}
	}
	sc := Machine{Jobs: 4}.newSchedule(dkmsstate.Snapshot{}, plan.Plan{Tasks: tasks})
	made := false
	sc.keyThere = func() bool { return made }
	started := func() int {
		n := 0
		for i, ok := sc.next(); ok; i, ok = sc.next() {
			sc.begin(i)
			n++
		}
		return n
	}
	assert.Equal(t, 1, started())
	sc.end(0, Failed)
	assert.Equal(t, 1, started(), "it failed and made none")
	made = true
	assert.Equal(t, 3, started())
	made = false
	sc.end(1, Done)
	assert.Equal(t, 1, started(), "a build that ended well has made what there is to make")
}

func TestLimitedJobs(t *testing.T) {
	p := plan.Plan{Tasks: make([]plan.Task, 2)}
	for i := range p.Tasks {
		p.Tasks[i] = plan.Task{Module: dkmsstate.Module{Name: fmt.Sprint(i), Version: "1"}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}}
	}
	s := dkmsstate.Snapshot{Layout: dkmsstate.DefaultLayout(t.TempDir())}
	assert.Equal(t, runtime.NumCPU(), Machine{}.newSchedule(s, p).limit)
	s.Layout.LimitsJobs = true
	assert.Equal(t, 1, Machine{}.newSchedule(s, p).limit)
	assert.Equal(t, 4, Machine{Jobs: 4}.newSchedule(s, p).limit, "the administrator insists")
}

// inTurn begins and ends the tasks one at a time, as the schedule allows, and returns their
// order.
func inTurn(sc *schedule) []string {
	var order []string
	for range sc.tasks {
		i, ok := sc.next()
		if !ok {
			return append(order, "nothing")
		}
		order = append(order, sc.tasks[i].Module.Name)
		sc.begin(i)
		sc.end(i, Done)
	}
	return order
}

func scheduleOf(f dkmstest.Root, jobs int, took map[string]time.Duration) *schedule {
	s := f.Snapshot()
	m := Machine{Layout: f.Layout, Jobs: jobs, Took: func(m dkmsstate.Module) time.Duration { return took[m.Name] }}
	sc := m.newSchedule(s, plan.Autoinstall(s, plan.Goal{}))
	sc.keyThere = func() bool { return true }
	return sc
}

// The longest task comes first, by how long it took before, or else by its sources, and
// including what waits for it.
func TestLongestFirst(t *testing.T) {
	f := dkmstest.New(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		f.Register(dkmsstate.Module{Name: name, Version: "1.0"}, "")
	}
	f.Write("usr/src/c-1.0/big.c", strings.Repeat("int x;\n", 100000))
	f.Write("usr/src/c-1.0/big.txt", "not compiled")
	assert.Equal(t, "c a b d", strings.Join(inTurn(scheduleOf(f, 2, nil)), " "))
	assert.Equal(t, "d c b a", strings.Join(inTurn(scheduleOf(f, 2, map[string]time.Duration{"d": time.Hour, "b": 2 * time.Second})), " "))
	assert.Equal(t, "a b c d", strings.Join(inTurn(scheduleOf(f, 1, nil)), " "), "one at a time goes in dkms's order")

	f.Register(dkmsstate.Module{Name: "e", Version: "1.0"}, "BUILD_DEPENDS=b\n")
	assert.Equal(t, "b e c a d", strings.Join(inTurn(scheduleOf(f, 2, map[string]time.Duration{"e": time.Hour})), " "))
}

// The build that creates the key is a short one.
func TestTheKeyIsMadeByAShortBuild(t *testing.T) {
	f := dkmstest.New(t)
	for _, name := range []string{"a", "b", "c"} {
		f.Register(dkmsstate.Module{Name: name, Version: "1.0"}, "")
	}
	sc := scheduleOf(f, 2, map[string]time.Duration{"a": time.Hour, "b": time.Second, "c": time.Minute})
	sc.keyThere = func() bool { return false }
	assert.Equal(t, "b a c", strings.Join(inTurn(sc), " "))
}

// A short build creates the key, whatever waits for it.
func TestTheKeyIsNotMadeByALongBuild(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "short", Version: "1.0"}, "")
	f.Register(dkmsstate.Module{Name: "long", Version: "1.0"}, "BUILD_DEPENDS=short\n")
	f.Register(dkmsstate.Module{Name: "middle", Version: "1.0"}, "")
	sc := scheduleOf(f, 2, map[string]time.Duration{"short": time.Second, "long": time.Hour, "middle": time.Minute})
	sc.keyThere = func() bool { return false }
	assert.Equal(t, "short long middle", strings.Join(inTurn(sc), " "))
}

// A task without a build does not wait for builds.
func TestWhatTakesNoTimeComesFirst(t *testing.T) {
	f := dkmstest.New(t)
	for _, name := range []string{"a", "b", "c"} {
		f.Register(dkmsstate.Module{Name: name, Version: "1.0"}, "")
	}
	f.AddInstalled(dkmsstate.Module{Name: "c", Version: "1.0"})
	f.RemoveAll("lib/modules/" + string(dkmstest.Kernel) + "/updates/dkms/c.ko")
	assert.Equal(t, "c a b", strings.Join(inTurn(scheduleOf(f, 2, nil)), " "))
}

// No more compilers run than memory allows. A build alone gets what dkms would use.
func TestMemoryBoundsBuildsSideBySide(t *testing.T) {
	tasks := make([]plan.Task, 4)
	for i := range tasks {
		tasks[i] = plan.Task{Module: dkmsstate.Module{Name: fmt.Sprint(i), Version: "1"}, Steps: []plan.Step{{Op: plan.OpBuild, Reason: ""}}}
	}
	sc := Machine{Jobs: 4}.newSchedule(dkmsstate.Snapshot{}, plan.Plan{Tasks: tasks})
	sc.keyThere = func() bool { return true }
	sc.free = 11
	for i, asked := range []struct {
		memory int
		toGo   time.Duration
	}{{8, 4}, {3, 3}, {2, 2}, {9, 9}} {
		sc.tasks[i].memory, sc.tasks[i].toGo = asked.memory, asked.toGo
	}
	begun := func() (order []int) {
		for i, ok := sc.next(); ok; i, ok = sc.next() {
			sc.begin(i)
			order = append(order, i)
		}
		return order
	}
	assert.Equal(t, []int{3, 2}, begun(), "2 fits beside 3, and what is longer does not")
	sc.end(2, Done)
	assert.Empty(t, begun())
	sc.end(3, Done)
	assert.Equal(t, []int{0, 1}, begun())
	sc.free -= 100 // there is none left
	sc.end(0, Done)
	sc.end(1, Done)
	assert.Empty(t, begun())
	sc = Machine{Jobs: 4}.newSchedule(dkmsstate.Snapshot{}, plan.Plan{Tasks: tasks})
	sc.free, sc.tasks[0].memory = 0, 1
	_, ok := sc.next()
	assert.True(t, ok, "one alone is built as dkms would build it")
}

func TestMemoryThatABuildNeeds(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "small", Version: "1.0"}, "")
	f.Register(dkmsstate.Module{Name: "large", Version: "1.0"}, "")
	for i := range 10000 / 100 {
		f.Write(fmt.Sprintf("usr/src/large-1.0/%d.c", i), "int x;\n")
	}
	assert.Equal(t, 1<<20, readSource(f.Layout, dkmsstate.Module{Name: "small", Version: "1.0"}).effortOf(0).memory)
	assert.Equal(t, max(1<<20, 256<<10*min(100, runtime.NumCPU())), readSource(f.Layout, dkmsstate.Module{Name: "large", Version: "1.0"}).effortOf(0).memory)
	assert.Equal(t, time.Minute, readSource(f.Layout, dkmsstate.Module{Name: "large", Version: "1.0"}).effortOf(time.Minute).time)
	assert.Equal(t, time.Second, readSource(f.Layout, dkmsstate.Module{Name: "gone", Version: "1.0"}).effortOf(0).time)
}

// A recorded build of the same version counts, or else the latest of another version.
func TestHowLongAModuleTook(t *testing.T) {
	at := func(took, when int) dkmsstate.Last {
		return dkmsstate.Last{Result: dkmsstate.LastInstalled, Took: time.Duration(took), When: time.Unix(int64(when), 0)}
	}
	r := dkmsstate.Record{Kernels: map[dkmsstate.Release]dkmsstate.KernelRecord{
		"1": {Last: map[string]dkmsstate.Last{"m/1": at(1, 1), "m/2": at(2, 5), "n/1": at(9, 9), "only/1": at(7, 1)}},
		"2": {Last: map[string]dkmsstate.Last{"m/1": at(3, 3), "m/2": at(0, 9), "only/2": at(8, 2)}},
	}}
	assert.Equal(t, time.Duration(3), r.Took(dkmsstate.Module{Name: "m", Version: "1"}))
	assert.Equal(t, time.Duration(2), r.Took(dkmsstate.Module{Name: "m", Version: "2"}))
	assert.Equal(t, time.Duration(2), r.Took(dkmsstate.Module{Name: "m", Version: "3"}))
	assert.Equal(t, time.Duration(8), r.Took(dkmsstate.Module{Name: "only", Version: "3"}))
	assert.Zero(t, r.Took(dkmsstate.Module{Name: "none", Version: "1"}))
}

// withoutNeeds builds aa and bb. bb uses what aa left and does not declare that.
type withoutNeeds struct {
	*scripted
	failed chan struct{}
}

func (w withoutNeeds) Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	switch {
	case m.Name == "aa":
		<-w.failed // aa is still being built when bb fails
	case !dkmsstate.Exists(w.Path(w.BuildFile(dkmsstate.Module{Name: "aa", Version: "1.0"}))):
		defer close(w.failed)
		return &dkms.CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	}
	return w.scripted.Build(ctx, m, kernel, arch, log)
}

// implicit builds bb only if aa is there, without naming it, and cc, which needs bb. The
// compiler reports what is missing.
type implicit struct{ *scripted }

func (w implicit) Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	if m.Name == "bb" && !w.Whole(dkmsstate.Module{Name: "aa", Version: "1.0"}) {
		fmt.Fprintln(log, "b.c:1:2: error: unknown type name")
		return &dkms.CallError{Program: "dkms", Args: []string{"build"}, Code: 10}
	}
	return w.scripted.Build(ctx, m, kernel, arch, log)
}

func (w implicit) Whole(m dkmsstate.Module) bool { return w.Snapshot().InOrder(m) }

// The longest build comes first, although it may use one that is built after it. It is then
// repeated once, and what needs it comes after that.
func TestWhatUsesAnEarlierModuleIsBuiltAfterIt(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t)}
	e.Register(dkmsstate.Module{Name: "aa", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "bb", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "cc", Version: "1.0"}, "BUILD_DEPENDS=bb\n")
	e.Register(dkmsstate.Module{Name: "dd", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "ee", Version: "1.0"}, "BUILD_DEPENDS=dd\n")
	e.fates = map[string]fate{"dd": doesNotCompile}
	e.Write("usr/src/bb-1.0/large.c", strings.Repeat("int x;\n", 100000))
	e.Write("usr/src/bb-1.0/Makefile", "KBUILD_EXTRA_SYMBOLS = $(wildcard /var/tmp/*.symvers)\n")
	e.Write("var/lib/dkms/mok.key", "key")
	e.Write("var/lib/dkms/mok.pub", "certificate")
	before := e.Snapshot()
	var told []string
	Machine{Layout: e.Layout, Engine: implicit{e}, Jobs: 2}.Run(context.Background(), before, plan.Autoinstall(before, plan.Goal{}),
		func(_ int, t plan.Task) { told = append(told, t.Module.Name) }, func(_ int, r Result) { told = append(told, r.Task.Module.Name+" "+string(r.Outcome)) })
	for _, name := range []string{"aa", "bb", "cc"} {
		assert.True(t, e.Snapshot().InOrder(dkmsstate.Module{Name: name, Version: "1.0"}), name)
		assert.Contains(t, told, name+" done")
	}
	assert.Equal(t, "bb", told[0])
	assert.Contains(t, told, "bb again")
	assert.Contains(t, told, "dd failed")
	assert.Contains(t, told, "ee failed")
	assert.NotContains(t, told, "ee again", "it was not begun")
	assert.NotContains(t, told, "ee")
	count := map[string]int{}
	for _, call := range e.calls {
		count[call]++
	}
	assert.Equal(t, 1, count["build dd"], "what the compiler refuses is compiled once")
	assert.Equal(t, 1, count["build aa"])
}

// A module may be built differently if another one is there, without failing otherwise. If its
// rules name that one, it is built after it, as with dkms.
func TestAModuleThatIsNamedComesFirst(t *testing.T) {
	for rules, order := range map[string]string{
		"ifneq ($(wildcard /usr/src/aa.symvers),)\n": "aa bb",
		"ccflags-y += -I/usr/src/aa-1.0/include\n":   "aa bb",
		"aab and baa and aa_b, a a\n":                "bb aa",
		"# nothing\n":                                "bb aa",
	} {
		f := dkmstest.New(t)
		f.Register(dkmsstate.Module{Name: "aa", Version: "1.0"}, "")
		f.Register(dkmsstate.Module{Name: "bb", Version: "1.0"}, "")
		f.Write("usr/src/aa-1.0/Makefile", "# bb comes later\n")
		f.Write("usr/src/bb-1.0/Makefile", rules)
		assert.Equal(t, order, strings.Join(inTurn(scheduleOf(f, 2, map[string]time.Duration{"bb": time.Hour})), " "), rules)
	}
}

// If memory is too little for two builds, the order is that of dkms.
func TestOneAtATimeForWantOfMemoryGoesInOrder(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "aa", Version: "1.0"}, "")
	f.Register(dkmsstate.Module{Name: "big", Version: "1.0"}, "")
	s := f.Snapshot()
	for memory, order := range map[int]string{2 << 20: "big aa", 2<<20 - 1: "aa big"} {
		m := Machine{Layout: f.Layout, Jobs: 2, Took: func(m dkmsstate.Module) time.Duration { return time.Duration(len(m.Name)) * time.Hour }}
		sc := m.newScheduleWithin(s, plan.Autoinstall(s, plan.Goal{}), memory)
		sc.keyThere = func() bool { return true }
		assert.Equal(t, order, strings.Join(inTurn(sc), " "), memory)
	}
}

// dkms builds one module after the other, by name, and some modules rely on that.
func TestWhatFailsBesideAnotherIsBuiltOnceMore(t *testing.T) {
	e := &scripted{Root: dkmstest.New(t)}
	e.Register(dkmsstate.Module{Name: "aa", Version: "1.0"}, "")
	e.Register(dkmsstate.Module{Name: "bb", Version: "1.0"}, "")
	e.Write("var/lib/dkms/mok.key", "key") // without one, the first build runs alone
	e.Write("var/lib/dkms/mok.pub", "certificate")
	before := e.Snapshot()
	ends := map[string]Outcome{}
	results := Machine{Layout: e.Layout, Engine: withoutNeeds{e, make(chan struct{})}, Jobs: 2}.Run(context.Background(), before,
		plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(_ int, r Result) { ends[r.Task.Module.Name] = r.Outcome })
	assert.Len(t, results, 2)
	assert.Equal(t, map[string]Outcome{"aa": Done, "bb": Done}, ends)
	assert.True(t, e.Snapshot().InOrder(dkmsstate.Module{Name: "bb", Version: "1.0"}))
}
