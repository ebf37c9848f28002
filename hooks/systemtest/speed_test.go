//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// speedResult is a row that was run.
type speedResult struct {
	suite string
	row   speedRow
	// floor is what the same costs without any module, where that was measured.
	floor, stock, ours costs
}

// TestSpeed runs stock and ours in turn and writes what both cost in a suite, as SUITE.md
// and as a picture, SUITE.svg, into the directory that -speed names. It asserts no figure.
func TestSpeed(t *testing.T) {
	s := readSettings(t)
	if s.speedDir == "" {
		t.Skip("make bench")
	}
	only := regexp.MustCompile(s.speedRows)
	asked := func(work string, n, k int) bool { return only.MatchString(fmt.Sprintf("%s %d %d", work, n, k)) }
	b := newBench(t)
	require.NoError(t, os.MkdirAll(b.speedDir, 0o755))
	for _, suite := range b.suiteNames() {
		t.Run(suite, func(t *testing.T) {
			p := measureSuite(t, b, suite, asked)
			require.False(t, t.Failed())
			require.NoError(t, os.WriteFile(filepath.Join(b.speedDir, suite+".md"), []byte(p.markdown()), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(b.speedDir, suite+".svg"), []byte(p.chart()), 0o644))
		})
	}
}

// measureSuite measures the rows that are asked for. What is short comes first, so that
// what is broken is known early.
func measureSuite(t *testing.T, b bench, suite string, asked func(work string, n, k int) bool) speedPart {
	l := newSpeedLab(t, b, suite)
	part := speedPart{suite: suite, kernel: l.kver, cores: runtime.NumCPU()}
	part.dkms = l.stock.must(t, "dpkg-query -W -f '${Version}' dkms")
	for range 25 {
		part.shell = append(part.shell, l.ours.measure(t, command("sh", "-c", ":")))
	}
	part.memory = l.memoryRows(t, asked)
	if all := b.suiteNames(); suite == all[len(all)-1] { // the schedule is that of the program, in any suite
		part.mixtures = l.mixtureRows(t, asked)
	}
	part.large = l.largeRows(t, asked)
	part.apt = l.aptRows(t, asked)
	for _, row := range l.speedRows() {
		if asked(row.work, row.n, row.k) {
			res := l.run(t, row)
			t.Logf("%s", res.line())
			part.results = append(part.results, res)
		}
	}
	if asked("parts", 0, 0) {
		l.buildParts(t, &part)
		l.compareEnds(t, &part)
	}
	return part
}

// run runs a row: A B A B …
func (l *speedLab) run(t *testing.T, row speedRow) speedResult {
	t.Helper()
	res := speedResult{suite: l.suite, row: row}
	withStock := row.stock.args != nil && !slices.Contains(row.slow, l.suite)
	once := func(r speedRoot, m measured, out *costs) {
		if row.fresh || row.forget {
			l.prepare(t, r, row)
		}
		*out = append(*out, r.measure(t, m))
	}
	if !row.fresh {
		for _, r := range []speedRoot{l.stock, l.ours} {
			l.prepare(t, r, row)
		}
		// What it learns in a first look is a row of its own.
		if row.learn == "" {
			l.ours.measure(t, row.ours)
		} else {
			l.ours.measure(t, command("dkms-hooks", row.learn))
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

func (l *speedLab) prepare(t *testing.T, r speedRoot, row speedRow) {
	t.Helper()
	switch {
	case row.forget:
		require.NoError(t, os.RemoveAll(r.path("var/lib/dkms-hooks")))
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
