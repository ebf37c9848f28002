package apply

import (
	"math"
	"runtime"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/signing"
)

// schedule decides which tasks of a plan may begin: those whose module no other task is working
// on, and whose needs (BUILD_DEPENDS) have had their turn. Among these, the task with the
// longest time to go comes first: that of its own build and of those that wait for it.
//
// As many builds run at a time as there are processors, and each may use all of them, so that
// none idles while work is left. If parallel_jobs of framework.conf limits the jobs of a build,
// one build runs at a time, as with dkms.
//
// dkms builds one module after the other, in the order of the plan. Some modules use what an
// earlier one left without naming it in BUILD_DEPENDS. A module whose rules name another one is
// therefore built after it. A build that fails before the earlier ones have ended is repeated
// once after them, unless it ran into the time limit, or the compiler refused it and it does
// not look for what others leave.
type schedule struct {
	tasks []scheduled
	// left is how many tasks have not ended. failed contains the names of modules of which a
	// task failed, so that they are not installed.
	left   int
	failed map[string]bool
	// running is how many tasks are running, and limit how many may be. free is the memory that
	// is left for more, in kB.
	running, limit, free int
	// keyThere reports whether dkms creates no key when it builds.
	keyThere func() bool
}

// scheduled is a task of a schedule.
type scheduled struct {
	plan.Task
	// done reports whether a task that has ended did so well. postponed reports whether it was
	// postponed. around reports whether it looks for what others leave.
	begun, ended, done, postponed, around bool
	// after are the tasks that have to end before it. early are the builds before it in the
	// plan that had not ended when it began for the first time.
	after, early []int
	// alone is how long the task takes by itself. toGo includes the longest of the tasks that
	// wait for it. memory is what it needs, in kB.
	alone, toGo time.Duration
	memory      int
}

// newSchedule schedules a plan. Without builds, the tasks are carried out one after the other.
// So are all tasks where dkms rebuilds modules unasked (BUILD_DEPENDS_REBUILD).
//
// dkms creates the key with which it signs modules in its first build. Two builds at the same
// time would corrupt it, so only the first build may create it. `dkms generate_mok` (3.1 and
// later) creates a key too, but even where dkms would never sign.
func (m Machine) newSchedule(s dkmsstate.Snapshot, p plan.Plan) *schedule {
	memory := math.MaxInt
	if slices.ContainsFunc(p.Tasks, plan.Task.Builds) {
		memory = memoryAvailable("/")
	}
	return m.newScheduleWithin(s, p, memory)
}

// newScheduleWithin schedules a plan within an amount of memory, in kB.
func (m Machine) newScheduleWithin(s dkmsstate.Snapshot, p plan.Plan, memory int) *schedule {
	sc := &schedule{left: len(p.Tasks), failed: map[string]bool{}, keyThere: func() bool { return signing.KeyThere(s.Layout) }, limit: 1, free: memory}
	builds := 0
	for i, after := range afterWhich(s, p.Tasks) {
		sc.tasks = append(sc.tasks, scheduled{Task: p.Tasks[i], after: after})
		if p.Tasks[i].Builds() {
			builds++
		}
	}
	rebuilds := slices.ContainsFunc(s.Registrations, func(r dkmsstate.Registration) bool { return r.Conf.RebuiltWith })
	if rebuilds || builds == 0 {
		return sc
	}
	switch sc.limit = m.Jobs; {
	case m.Jobs == 0 && s.Layout.LimitsJobs:
		sc.limit = 1
	case m.Jobs == 0:
		sc.limit = runtime.NumCPU()
	}
	if sc.limit > 1 && builds > 1 { // there is an order to find
		sc.expect(m, s.Layout)
	}
	return sc
}

// expect estimates the cost of each build, and finds the others that its rules name.
func (sc *schedule) expect(m Machine, l dkmsstate.Layout) {
	var needed []int
	for i := range sc.tasks {
		t := &sc.tasks[i]
		if !t.Builds() {
			continue
		}
		src := readSource(l, t.Module)
		e := src.effortOf(m.took(t.Module))
		t.alone, t.memory, t.around = e.time, e.memory, src.looksAround()
		needed = append(needed, e.memory)
		for j, other := range sc.tasks[:i] {
			if src.names(other.Module.Name) {
				t.after = append(t.after, j)
			}
		}
	}
	if slices.Sort(needed); needed[0]+needed[1] > sc.free {
		sc.limit = 1 // no two fit
	}
	for i := len(sc.tasks) - 1; i >= 0; i-- {
		t := &sc.tasks[i]
		t.toGo += t.alone
		for _, j := range t.after {
			sc.tasks[j].toGo = max(sc.tasks[j].toGo, t.toGo)
		}
	}
}

func (m Machine) took(module dkmsstate.Module) time.Duration {
	if m.Took == nil {
		return 0
	}
	return m.Took(module)
}

// afterWhich returns for each task those before it that have to end first: tasks of the same
// module, of one that it needs, and of one that may install the same file, since the installed
// file must not depend on which module is built faster. A build whose needs are unknown waits
// for all.
func afterWhich(s dkmsstate.Snapshot, tasks []plan.Task) [][]int {
	after := make([][]int, len(tasks))
	named, bringing := map[string][]int{}, map[string][]int{}
	for i, t := range tasks {
		r, _ := s.Registration(t.Module)
		b, _ := s.Build(t.Module, t.Arch)
		brings := slices.Compact(slices.Sorted(slices.Values(slices.Concat(b.Names(), r.Conf.Names))))
		for _, name := range append(slices.Clone(t.Needs), t.Module.Name) {
			after[i] = append(after[i], named[name]...)
		}
		for _, file := range brings {
			after[i] = append(after[i], bringing[file]...)
			bringing[file] = append(bringing[file], i)
		}
		named[t.Module.Name] = append(named[t.Module.Name], i)
		if t.Builds() && r.Conf.NeedsUnknown() {
			after[i] = before(i)
		}
	}
	return after
}

// before returns the numbers of the tasks before task i.
func before(i int) []int {
	all := make([]int, i)
	for j := range all {
		all[j] = j
	}
	return all
}

// next returns a task that may begin now. It reports false if there is none.
func (sc *schedule) next() (int, bool) {
	keyThere := sc.keyThere()
	if sc.running >= sc.limit || sc.running > 0 && !keyThere {
		return 0, false
	}
	first := -1
	for i := range sc.tasks {
		t := &sc.tasks[i]
		if !t.begun && !sc.waits(t) && sc.fits(t) && (first < 0 || sc.sooner(t, &sc.tasks[first], keyThere)) {
			first = i
		}
	}
	return first, first >= 0
}

// waits reports whether a task before this one has to end first.
func (sc *schedule) waits(t *scheduled) bool {
	return slices.ContainsFunc(t.after, func(j int) bool { return !sc.tasks[j].ended })
}

// fits reports whether there is memory for a task beside the running ones. A single one is
// built wherever dkms would build it.
func (sc *schedule) fits(t *scheduled) bool { return sc.running == 0 || t.memory <= sc.free }

// sooner reports whether task t comes before task than, which precedes it in the plan. A task
// without a build takes no time. The build that creates the key is a short one, since the
// others wait for it.
func (sc *schedule) sooner(t, than *scheduled, keyThere bool) bool {
	switch {
	case sc.limit == 1:
		return false
	case !t.Builds() || !than.Builds():
		return than.Builds()
	case keyThere:
		return t.toGo > than.toGo
	}
	return t.alone < than.alone
}

// begin records that a task begins.
func (sc *schedule) begin(i int) {
	t := &sc.tasks[i]
	t.begun = true
	sc.running++
	sc.free -= t.memory
	if sc.limit > 1 && !t.postponed {
		t.early = slices.DeleteFunc(before(i), func(j int) bool { return sc.tasks[j].ended || !sc.tasks[j].Builds() })
	}
}

// end records that a task has ended. What needs a module that was skipped, or that is still installed, is
// built all the same, as with dkms 3.0.11 and later or before that, unless dkms itself refuses.
func (sc *schedule) end(i int, outcome Outcome) {
	t := &sc.tasks[i]
	sc.stop(t)
	sc.left--
	t.ended, t.done = true, outcome == Done
	if t.done && t.Builds() { // the key exists now, or none is created
		sc.keyThere = func() bool { return true }
	}
	if !t.done && outcome != Skipped && !(outcome == Failed && t.Stays) {
		sc.failed[t.Module.Name] = true
	}
}

func (sc *schedule) stop(t *scheduled) {
	sc.running--
	sc.free += t.memory
}

// postpone postpones a failed build until all tasks before it have ended. It reports whether it
// did. It does not if all earlier builds had ended when this one began, if it was postponed
// before, or if nothing that others leave can be missing.
func (sc *schedule) postpone(i int, cause dkmsstate.Cause) bool {
	t := &sc.tasks[i]
	compiled := cause == dkmsstate.CauseCompiler && !t.around || cause == dkmsstate.CauseTimeout
	if t.postponed || len(t.early) == 0 || compiled || !t.Builds() {
		return false
	}
	sc.stop(t)
	t.begun, t.postponed, t.after = false, true, before(i)
	return true
}

// builtSince reports whether an earlier build ended well that had not ended when the task began
// for the first time.
func (sc *schedule) builtSince(i int) bool {
	return slices.ContainsFunc(sc.tasks[i].early, func(j int) bool { return sc.tasks[j].done })
}
