//go:build integration

package systemtest

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// settings are what is asked for on the command line of the tests, beside those of the lab.
type settings struct {
	kernels                string
	withStock, quick       bool
	table, matrixDir       string
	callersDir             string
	stockwiseDir, packages string
	walkSteps, walkSeed    int
	kills, killSeed        int
	engines, enginesTable  string
	oracle, oracleCells    string
}

// define gives a set of flags those of the tests.
func (s *settings) define(flags *flag.FlagSet) {
	flags.StringVar(&s.kernels, "kernels", "", "a `directory` of real kernels made with bindeb-pkg (else dist/kernels, where make kernels puts them)")
	flags.BoolVar(&s.withStock, "stock", false, "run the stock hooks beside ours, which takes as much time again, and more")
	flags.BoolVar(&s.quick, "quick", false, "play in one of the suites, by turns, what need not be played in all: each style of kernel packages, each scenario or state, and what does not depend on the dkms of a suite")
	flags.StringVar(&s.table, "table", "", "a `file` to write the table of end states to")
	flags.StringVar(&s.matrixDir, "matrix", "", "a `directory` to write the table of transitions to")
	flags.StringVar(&s.callersDir, "callers", "", "a `directory` to write the tables of kernel packages of other styles to (else a part of the transitions is played)")
	flags.StringVar(&s.stockwiseDir, "stockwise", "", "a `directory` to write the report of all scenarios to that are compared with the stock hooks (else a part of them is played, without one)")
	flags.StringVar(&s.packages, "packages", "", "`names` of Debian's packages to compare, instead of all")
	flags.IntVar(&s.walkSteps, "walk-steps", 10, "the `number` of steps of a random walk for each style of kernel packages")
	flags.IntVar(&s.walkSeed, "walk-seed", 1, "the `number` that draws the steps of a walk")
	flags.IntVar(&s.kills, "kills", 0, "the `number` of kills of each kind of work, with the rest of the worst days; 0 is for a few kills alone")
	flags.StringVar(&s.engines, "engines", "", "a `directory` with the sources of dkms, or with several such directories, to play some transitions with; without it none are")
	flags.StringVar(&s.enginesTable, "engines-table", "", "a `directory` to write the table of these transitions to")
	flags.StringVar(&s.oracle, "oracle", "", "a `file` to write the table of what was predicted about the next boot to (else a part of the cells is played)")
	flags.StringVar(&s.oracleCells, "oracle-cells", "", "a `pattern` of the cells to play")
	flags.IntVar(&s.killSeed, "kill-seed", 0, "the `number` that draws where to kill; 0 is for another each time")
}

// readSettings returns the settings of this run. TestMain cannot hand a value to a test,
// and what it parsed is known to the package flag.
func readSettings(t *testing.T) (lab.Settings, settings) {
	t.Helper()
	var inLab lab.Settings
	var s settings
	flags := flag.NewFlagSet(t.Name(), flag.ContinueOnError)
	inLab.Define(flags)
	s.define(flags)
	flags.VisitAll(func(f *flag.Flag) {
		require.NoError(t, f.Value.Set(flag.Lookup(f.Name).Value.String()))
	})
	return inLab, s
}

// ofStock returns what the stock hooks came to, where they are run.
func (s settings) ofStock(run func() string) string {
	if !s.withStock {
		return "not run"
	}
	return run()
}
