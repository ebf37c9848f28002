package apply

import (
	"runtime"
	"time"
)

// effort is the expected cost of building a module.
type effort struct {
	// time is how long the build takes.
	time time.Duration
	// memory is how much its compilers need, in kB.
	memory int
}

// The duration of a build is estimated by the size of its sources if no earlier build is known.
const (
	timeAtLeast   = time.Second
	timePerSource = 32 * time.Microsecond // per byte; zfs and v4l2loopback take 30
)

// A compiler needs less than a quarter of a gigabyte for nearly every source file of a module.
// Linking the whole and generating its BTF takes at most one gigabyte.
const (
	memoryOfCompiler = 256 << 10 // kB
	memoryOfBuild    = 1 << 20
)

// effortOf returns the cost of building a module, by its sources and by how long an earlier
// build took, 0 for unknown.
func (src source) effortOf(before time.Duration) effort {
	e := effort{before, max(memoryOfBuild, memoryOfCompiler*min(src.files, runtime.NumCPU()))}
	if before == 0 {
		e.time = timeAtLeast + time.Duration(src.bytes)*timePerSource
	}
	return e
}
