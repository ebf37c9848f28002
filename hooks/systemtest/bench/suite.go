package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// result is a row that was run.
type result struct {
	suite string
	row   row
	// floor is what the same costs without any module, where that was measured.
	floor, stock, ours costs
}

// measureSuite measures the rows that are asked for. What is short comes first, so that
// what is broken is known early.
func measureSuite(t lab.T, asked selection, suite lab.Suite, schedule bool) part {
	l := newRoots(t, asked, suite)
	part := part{suite: l.Name, kernel: l.Kver, cores: runtime.NumCPU()}
	part.dkms = l.stock.Must(t, "dpkg-query -W -f '${Version}' dkms")
	for range 25 {
		part.shell = append(part.shell, measure(t, l.ours.Root, command("sh", "-c", ":")))
	}
	part.memory = l.memoryRows(t)
	if schedule {
		part.mixtures = l.mixtureRows(t)
	}
	part.large = l.largeRows(t)
	part.apt = l.aptRows(t)
	for _, row := range l.tableRows() {
		if l.asked(row.work, row.n, row.k) {
			res := l.run(t, row)
			t.Logf("%s", res.line())
			part.results = append(part.results, res)
		}
	}
	if l.asked("parts", 0, 0) {
		l.buildParts(t, &part)
		l.compareEnds(t, &part)
	}
	return part
}

// run runs a row: A B A B …
func (l *roots) run(t lab.T, row row) result {
	t.Helper()
	res := result{suite: l.Name, row: row}
	withStock := row.stock.args != nil && !slices.Contains(row.slow, l.Name)
	once := func(r diskRoot, m measured, out *costs) {
		if row.fresh || row.forget {
			l.prepare(t, r, row)
		}
		*out = append(*out, measure(t, r.Root, m))
	}
	if !row.fresh {
		for _, r := range []diskRoot{l.stock, l.ours} {
			l.prepare(t, r, row)
		}
		// What it learns in a first look is a row of its own.
		if row.learn == "" {
			measure(t, l.ours.Root, row.ours)
		} else {
			measure(t, l.ours.Root, command("dkms-hooks", row.learn))
		}
	}
	for range l.rounds(row.rounds) {
		if withStock {
			once(l.stock, row.stock, &res.stock)
		}
		for range row.times {
			once(l.ours, row.ours, &res.ours)
		}
	}
	return res
}

func (l *roots) prepare(t lab.T, r diskRoot, row row) {
	t.Helper()
	switch {
	case row.forget:
		require.NoError(t, os.RemoveAll(r.Path("var/lib/dkms-hooks")))
		if entries, _ := filepath.Glob(filepath.Join(r.dkms, "m*")); len(entries) != row.n {
			r.fill(t, row.n, row.k)
		}
	case row.built:
		r.fill(t, row.n, row.k)
	default:
		r.clear(t)
		for i := range row.n {
			r.register(t, i)
		}
	}
}
