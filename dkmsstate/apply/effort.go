package apply

import (
	"runtime"
	"time"
)

// effort is what building a module is expected to ask of the machine.
type effort struct {
	// time is how long it takes.
	time time.Duration
	// memory is what its compilers need, in kB.
	memory int
}

// A build of which nothing is known takes as long as its sources are large.
const (
	timeAtLeast   = time.Second
	timePerSource = 32 * time.Microsecond // for each byte; zfs and v4l2loopback take 30
)

// A compiler needs less than a quarter of a gigabyte for nearly every source of a module, and
// what links the whole and makes BTF of it at most one gigabyte.
const (
	memoryOfCompiler = 256 << 10 // kB
	memoryOfBuild    = 1 << 20
)

// effortOf returns what building a module asks for, by its sources and by how long it took
// before, 0 for unknown.
func (src source) effortOf(before time.Duration) effort {
	e := effort{before, max(memoryOfBuild, memoryOfCompiler*min(src.files, runtime.NumCPU()))}
	if before == 0 {
		e.time = timeAtLeast + time.Duration(src.bytes)*timePerSource
	}
	return e
}
