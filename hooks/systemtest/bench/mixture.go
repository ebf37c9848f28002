package main

// mixture is a number of modules whose make sleeps where another compiles. A step of
// such a module takes one of as many tokens as there are to be processors, in the order of
// priorities, so the schedule of a large machine shows on a small one.
type mixture struct {
	name     string
	sleepers []sleeper
	// known reports whether all were built before, so that ours knows how long each takes.
	known bool
}

// sleeper is a module, named after its place among the others.
type sleeper struct {
	// wide is how much of it can be done at once: so many steps on two processors,
	// as many times more as there are more processors.
	wide int
	// serial is how many steps it does one after the other first: as a configure, or
	// kbuild's probing of the compiler, does.
	serial int
	// needs is the place of the module that has to be installed before, from 1 on, 0
	// for none.
	needs int
}

// lead is what every make does before it compiles anything.
const lead = 2

func module(wide int) sleeper { return sleeper{wide: wide, serial: lead} }

func equal(n, wide int) []sleeper {
	sleepers := make([]sleeper, n)
	for i := range sleepers {
		sleepers[i] = module(wide)
	}
	return sleepers
}

func mixed(parts ...[]sleeper) []sleeper {
	var all []sleeper
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func mixtures() []mixture {
	one := func(wide int) []sleeper { return equal(1, wide) }
	var geometric []sleeper
	for wide := 1; wide <= 64; wide *= 2 {
		geometric = append(geometric, module(wide))
	}
	chain := equal(3, 4)
	chain[1].needs = 1
	end := module(40)
	end.needs = 2
	serial := mixed(equal(2, 8), []sleeper{{serial: 24}}, equal(3, 8))
	return []mixture{
		{name: "one large beside 3 small", sleepers: mixed(equal(2, 4), one(60), equal(1, 4))},
		{name: "8 equal", sleepers: equal(8, 8)},
		{name: "one large beside 20 tiny", sleepers: mixed(equal(10, 1), one(40), equal(10, 1))},
		{name: "two large beside 8 small", sleepers: mixed(equal(4, 3), equal(2, 24), equal(4, 3))},
		{name: "sizes of 1, 2, 4 to 64", sleepers: geometric},
		{name: "the large one last by name, 6 small", sleepers: mixed(equal(6, 4), one(48))},
		{name: "the large one first by name, 6 small", sleepers: mixed(one(48), equal(6, 4))},
		{name: "a chain of BUILD_DEPENDS with a large end, one beside it", sleepers: mixed(chain, []sleeper{end})},
		{name: "one that is serial beside 5 others", sleepers: serial},
		{name: "the same, built before", sleepers: serial, known: true},
	}
}

// machine is what is pretended.
type machine struct {
	processors int
	// unit is what a wide step on two processors is here, step how long one takes. A
	// step is the longer the more are at work at once: starting them costs the real
	// processors something.
	unit, step int
}

func machines() []machine {
	return []machine{{processors: 2, unit: 1, step: 150}, {processors: 8, unit: 4, step: 300}, {processors: 32, unit: 8, step: 300}}
}

func (m machine) wide(s sleeper) int { return s.wide * m.unit }

func (m machine) seconds(steps int) float64 { return float64(steps*m.step) / 1000 }

// bound is what the steps take at least: all of them divided by the processors, or the
// longest chain of what has to be done in a row.
func (m machine) bound(x mixture) float64 {
	total, longest := 0, 0
	ends := make([]int, len(x.sleepers))
	for i, s := range x.sleepers {
		total += s.serial + m.wide(s)
		ends[i] = s.serial + (m.wide(s)+m.processors-1)/m.processors
		if s.needs > 0 {
			ends[i] += ends[s.needs-1]
		}
		longest = max(longest, ends[i])
	}
	return max(m.seconds(total)/float64(m.processors), m.seconds(longest))
}
