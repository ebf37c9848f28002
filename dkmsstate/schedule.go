package dkmsstate

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// schedule says which tasks of a plan may begin: those whose module no other task is
// at work on, and whose needs (BUILD_DEPENDS) have had their turn. Of these the one comes
// first with the longest way to go: its own build, and those that wait for it.
//
// As many builds are at work as there are processors, and each may use all of them, so that
// none idles while work is left.
//
// dkms builds one module after the other, in the order of the plan, and some use what an
// earlier one left without naming it in BUILD_DEPENDS. One whose rules name another comes
// after that, and what fails before the earlier ones have ended is done once more after
// them, unless the compiler refused it and it does not look at what others leave.
type schedule struct {
	tasks []Task
	begun []bool
	// left is how many tasks have not ended, ended says which have, and done which of
	// these well; failed are the names of modules of which one did not.
	left        int
	ended, done []bool
	failed      map[string]bool
	// after are the tasks that each has to wait for; early are those before it that had
	// not ended when it began for the first time.
	after, early [][]int
	// postponed are those that were put off, around those that look at what others leave.
	postponed, around []bool
	// alone is how long each takes by itself, toGo with the longest of what waits for it,
	// and memory what it needs, in kB.
	alone, toGo []time.Duration
	memory      []int
	// running are tasks at work; limit is how many may be, and free the memory that is
	// left for more, in kB.
	running, limit, free int
	// keyThere says that dkms makes no key when it builds.
	keyThere func() bool
}

// newSchedule schedules a plan. What needs no compiler is done one after the other,
// and so is everything where dkms builds modules anew unasked (BUILD_DEPENDS_REBUILD).
//
// dkms makes the key that it signs modules with when it first builds one, and two at
// once spoil it; it is the first build's alone to make. `dkms generate_mok` (3.1 and
// later) makes one as well, also where dkms would never sign.
func (m Machine) newSchedule(s Snapshot, p Plan) *schedule {
	memory := math.MaxInt
	if slices.ContainsFunc(p.Tasks, Task.Builds) {
		memory = memoryAvailable("/")
	}
	return m.newScheduleWithin(s, p, memory)
}

// newScheduleWithin schedules a plan with so much memory, in kB.
func (m Machine) newScheduleWithin(s Snapshot, p Plan, memory int) *schedule {
	n := len(p.Tasks)
	sc := &schedule{tasks: p.Tasks, begun: make([]bool, n), left: n, ended: make([]bool, n), done: make([]bool, n), failed: map[string]bool{},
		after: afterWhich(s, p.Tasks), early: make([][]int, n), postponed: make([]bool, n), around: make([]bool, n),
		alone: make([]time.Duration, n), toGo: make([]time.Duration, n), memory: make([]int, n),
		keyThere: s.Layout.keyThere, limit: 1, free: memory}
	rebuilds := slices.ContainsFunc(s.Registrations, func(r Registration) bool { return r.Conf.RebuiltWith })
	if rebuilds || !slices.ContainsFunc(p.Tasks, Task.Builds) {
		return sc
	}
	if sc.limit = m.Jobs; m.Jobs == 0 {
		sc.limit = runtime.NumCPU()
	}
	for i, t := range p.Tasks {
		if !t.Builds() {
			continue
		}
		src := s.Layout.readSource(t.Module)
		e := src.effort(m.took(t.Module))
		sc.alone[i], sc.memory[i], sc.around[i] = e.time, e.memory, src.looksAround()
		for j, other := range p.Tasks[:i] {
			if src.names(other.Module.Name) {
				sc.after[i] = append(sc.after[i], j)
			}
		}
	}
	builds := slices.DeleteFunc(slices.Sorted(slices.Values(sc.memory)), func(kB int) bool { return kB == 0 })
	if len(builds) > 1 && builds[0]+builds[1] > sc.free {
		sc.limit = 1 // no two fit
	}
	for i := n - 1; i >= 0; i-- {
		sc.toGo[i] += sc.alone[i]
		for _, j := range sc.after[i] {
			sc.toGo[j] = max(sc.toGo[j], sc.toGo[i])
		}
	}
	return sc
}

func (m Machine) took(module Module) time.Duration {
	if m.Took == nil {
		return 0
	}
	return m.Took(module)
}

// afterWhich returns for each task those before it that have to end first: of the same
// module, of one that it needs, and of one that may install the same file, since which of
// them is there in the end must not depend on which is built faster. A build of which nobody
// could tell what it needs waits for all.
func afterWhich(s Snapshot, tasks []Task) [][]int {
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

// before returns the numbers of the tasks before one.
func before(i int) []int {
	all := make([]int, i)
	for j := range all {
		all[j] = j
	}
	return all
}

// next gives a task that may begin now.
func (sc *schedule) next() (int, bool) {
	keyThere := sc.keyThere()
	if sc.running >= sc.limit || sc.running > 0 && !keyThere {
		return 0, false
	}
	first := -1
	for i := range sc.tasks {
		if !sc.begun[i] && !sc.waits(i) && sc.fits(i) && (first < 0 || sc.sooner(i, first, keyThere)) {
			first = i
		}
	}
	return first, first >= 0
}

// waits says that a task before this one has to end first.
func (sc *schedule) waits(i int) bool {
	return slices.ContainsFunc(sc.after[i], func(j int) bool { return !sc.ended[j] })
}

// fits reports whether there is memory for a task beside those at work; one alone is built
// wherever dkms would build it.
func (sc *schedule) fits(i int) bool { return sc.running == 0 || sc.memory[i] <= sc.free }

// sooner reports whether a task comes before one that precedes it in the plan. What needs no
// compiler takes no time. The build that has to make the key is a short one: the others wait
// for it.
func (sc *schedule) sooner(i, than int, keyThere bool) bool {
	builds, thanBuilds := sc.tasks[i].Builds(), sc.tasks[than].Builds()
	switch {
	case sc.limit == 1:
		return false
	case !builds || !thanBuilds:
		return thanBuilds
	case keyThere:
		return sc.toGo[i] > sc.toGo[than]
	}
	return sc.alone[i] < sc.alone[than]
}

// begin notes that a task is at work.
func (sc *schedule) begin(i int) {
	sc.begun[i] = true
	sc.running++
	sc.free -= sc.memory[i]
	if sc.limit > 1 && !sc.postponed[i] {
		sc.early[i] = slices.DeleteFunc(before(i), func(j int) bool { return sc.ended[j] })
	}
}

// end notes that a task has ended.
func (sc *schedule) end(i int, done bool) {
	sc.stop(i)
	sc.left--
	sc.ended[i], sc.done[i] = true, done
	if done && sc.tasks[i].Builds() { // the key is made now, or none is
		sc.keyThere = func() bool { return true }
	}
	if !done {
		sc.failed[sc.tasks[i].Module.Name] = true
	}
}

func (sc *schedule) stop(i int) {
	sc.running--
	sc.free += sc.memory[i]
}

// postpone puts a build that has failed off until all before it have ended, unless these had
// when it began, it was put off before, or nothing that others leave may be missing. It
// reports whether it did.
func (sc *schedule) postpone(i int, cause Cause) bool {
	compiled := cause == CauseCompiler && !sc.around[i] || cause == CauseTimeout
	if sc.postponed[i] || len(sc.early[i]) == 0 || compiled || !sc.tasks[i].Builds() {
		return false
	}
	sc.stop(i)
	sc.begun[i], sc.postponed[i], sc.after[i] = false, true, before(i)
	return true
}

// builtSince reports whether a task before one was done that had not been when that began
// for the first time.
func (sc *schedule) builtSince(i int) bool {
	return slices.ContainsFunc(sc.early[i], func(j int) bool { return sc.done[j] && sc.tasks[j].Builds() })
}

// missing gives a need of a task that is known not to be met, "" for none.
func (sc *schedule) missing(i int) string {
	for _, name := range sc.tasks[i].Needs {
		if sc.failed[name] {
			return name
		}
	}
	return ""
}
