package dkmsstate

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// DefaultJobs gives how many modules to build at a time: one for each processor, as
// long as each has a gigabyte of memory, which the largest known need.
func DefaultJobs() int {
	const each = 1 << 20 // kB
	jobs := runtime.NumCPU()
	if free, known := memoryAvailable("/proc/meminfo"); known {
		jobs = min(jobs, free/each)
	}
	return max(jobs, 1)
}

// memoryAvailable reads proc(5)'s MemAvailable, in kB.
func memoryAvailable(meminfo string) (int, bool) {
	data, _ := readRegular(meminfo)
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kb, err == nil
		}
	}
	return 0, false
}

// schedule says which tasks of a plan may begin: those whose module no other task is
// at work on, and whose needs (BUILD_DEPENDS) have had their turn.
type schedule struct {
	tasks []Task
	begun []bool
	// ended says of each task that it has ended; failed are the names of modules of
	// which one did not end well.
	ended  []bool
	failed map[string]bool
	// running are tasks at work; limit is how many may be, builders how many of all
	// tasks compile and have not ended.
	running, limit, builders int
	// first is the first task that has not begun.
	first int
	// keyThere says that dkms makes no key when it builds.
	keyThere func() bool
	// files are the names of the files that each task may install.
	files [][]string
}

// newSchedule schedules a plan. What needs no compiler is done one after the other,
// and so is everything where dkms builds modules anew unasked (BUILD_DEPENDS_REBUILD).
//
// dkms makes the key that it signs modules with when it first builds one, and two at
// once spoil it; it is the first build's alone to make. `dkms generate_mok` (3.1 and
// later) makes one as well, also where dkms would never sign.
func newSchedule(s Snapshot, p Plan, jobs int) *schedule {
	sc := &schedule{tasks: p.Tasks, begun: make([]bool, len(p.Tasks)), ended: make([]bool, len(p.Tasks)), failed: map[string]bool{}, limit: 1}
	for _, t := range p.Tasks {
		if t.Builds() {
			sc.builders++
		}
		r, _ := s.Registration(t.Module)
		b, _ := s.Build(t.Module, t.Arch)
		sc.files = append(sc.files, append(b.Names(), r.Conf.Names...))
	}
	rebuilds := slices.ContainsFunc(s.Registrations, func(r Registration) bool { return r.Conf.RebuiltWith })
	if sc.builders > 0 && !rebuilds {
		sc.limit = max(jobs, 1)
	}
	sc.keyThere = s.Layout.keyThere
	return sc
}

// next gives a task that may begin now, in the order of the plan.
func (sc *schedule) next() (int, bool) {
	if sc.running >= sc.limit || sc.running > 0 && !sc.keyThere() {
		return 0, false
	}
	for sc.first < len(sc.tasks) && sc.begun[sc.first] {
		sc.first++
	}
	for i := sc.first; i < len(sc.tasks); i++ {
		if !sc.begun[i] && !sc.waits(i) {
			return i, true
		}
	}
	return 0, false
}

// waits says that a task before this one has to end first.
func (sc *schedule) waits(i int) bool {
	for j, other := range sc.tasks[:i] {
		if sc.ended[j] {
			continue
		}
		if other.Module.Name == sc.tasks[i].Module.Name || slices.Contains(sc.tasks[i].Needs, other.Module.Name) || sc.share(i, j) {
			return true
		}
	}
	return false
}

// share reports whether two tasks may install the same file: which of them is there in
// the end must not depend on which is built faster.
func (sc *schedule) share(i, j int) bool {
	return slices.ContainsFunc(sc.files[i], func(name string) bool { return slices.Contains(sc.files[j], name) })
}

// begin notes that a task is at work, and gives the number of jobs for its make: the
// processors are shared among the builds that can be at work.
func (sc *schedule) begin(i int) int {
	sc.begun[i] = true
	sc.running++
	return max(1, runtime.NumCPU()/max(1, min(sc.limit, sc.builders)))
}

func (sc *schedule) end(i int, done bool) {
	sc.ended[i] = true
	sc.running--
	if sc.tasks[i].Builds() {
		sc.builders--
		if done { // the key is made now, or none is
			sc.keyThere = func() bool { return true }
		}
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
