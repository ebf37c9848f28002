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
type schedule struct {
	tasks []Task
	begun []bool
	// ended says of each task that it has ended; failed are the names of modules of
	// which one did not end well.
	ended  []bool
	failed map[string]bool
	// after are the tasks that each has to wait for, toGo is how long it takes with the
	// longest of what waits for it, and memory what it needs, in kB.
	after  [][]int
	toGo   []time.Duration
	memory []int
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
	n := len(p.Tasks)
	sc := &schedule{tasks: p.Tasks, begun: make([]bool, n), ended: make([]bool, n), failed: map[string]bool{}, limit: 1,
		after: afterWhich(s, p.Tasks), toGo: make([]time.Duration, n), memory: make([]int, n), keyThere: s.Layout.keyThere, free: math.MaxInt}
	rebuilds := slices.ContainsFunc(s.Registrations, func(r Registration) bool { return r.Conf.RebuiltWith })
	if rebuilds || !slices.ContainsFunc(p.Tasks, Task.Builds) {
		return sc
	}
	if sc.limit = m.Jobs; m.Jobs == 0 {
		sc.limit, sc.free = runtime.NumCPU(), memoryAvailable("/")
	}
	for i := n - 1; i >= 0; i-- {
		if t := p.Tasks[i]; t.Builds() {
			e := s.Layout.effort(t.Module, m.took(t.Module))
			sc.toGo[i] += e.time
			sc.memory[i] = e.memory
		}
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
// them is there in the end must not depend on which is built faster.
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
	}
	return after
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

// sooner reports whether a task comes before one that precedes it in the plan. The build
// that has to make the key is a short one: the others wait for it.
func (sc *schedule) sooner(i, than int, keyThere bool) bool {
	switch {
	case sc.limit == 1:
		return false
	case keyThere:
		return sc.toGo[i] > sc.toGo[than]
	}
	return sc.toGo[i] < sc.toGo[than]
}

// begin notes that a task is at work.
func (sc *schedule) begin(i int) {
	sc.begun[i] = true
	sc.running++
	sc.free -= sc.memory[i]
}

func (sc *schedule) end(i int, done bool) {
	sc.ended[i] = true
	sc.running--
	sc.free += sc.memory[i]
	if done && sc.tasks[i].Builds() { // the key is made now, or none is
		sc.keyThere = func() bool { return true }
	}
	if !done {
		sc.failed[sc.tasks[i].Module.Name] = true
	}
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
