// Bench measures what the hooks and whole runs of apt cost, the stock hooks and ours in
// turn, and writes for each suite a page, SUITE.md, and a picture, SUITE.svg. It asserts no
// figure. It needs root and takes hours for all rows; -help lists the flags.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// options are what is asked for on the command line.
type options struct {
	lab.Settings
	selection
	out string
}

// selection is which rows are measured.
type selection struct {
	rows *regexp.Regexp
	// limit is the number of rounds at the most, 0 without one.
	limit int
}

func main() {
	asked, err := readOptions(os.Args[1:])
	if err == nil {
		err = lab.PrivateMounts()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !run(func(t lab.T) { asked.measure(t) }) {
		os.Exit(1)
	}
}

// readOptions reads the command line.
func readOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	o.Define(flags)
	flags.StringVar(&o.out, "out", "", "the `directory` to write the pages and pictures to (else what was measured is printed only)")
	rows := flags.String("rows", "", "a `pattern` of the rows to measure, as \"status 50 1\": the work, the number of modules and of kernels (else all)")
	flags.IntVar(&o.limit, "rounds", 0, "the `number` of rounds at the most (else as many as a row has)")
	_ = flags.Parse(args) // it ends the program itself
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	var err error
	if o.rows, err = regexp.Compile(*rows); err != nil {
		return o, fmt.Errorf("cannot read -rows: %w", err)
	}
	return o, nil
}

// asked reports whether a row is to be measured.
func (s selection) asked(work string, n, k int) bool {
	return s.rows.MatchString(fmt.Sprintf("%s %d %d", work, n, k))
}

// rounds returns how many rounds of a row that has so many are measured.
func (s selection) rounds(most int) int {
	if s.limit > 0 {
		return min(most, s.limit)
	}
	return most
}

// measure measures one suite after the other.
func (o options) measure(t lab.T) {
	in := lab.New(t, o.Settings)
	suites := in.SuiteNames()
	for i, name := range suites {
		// What a suite made is undone before the next begins.
		if !run(func(t lab.T) {
			// The schedule is that of the program, in any suite.
			o.write(t, measureSuite(t, o.selection, in.Suite(t, name), i == len(suites)-1))
		}) {
			t.FailNow()
		}
	}
}

// write writes what the benchmark found in a suite.
func (o options) write(t lab.T, p part) {
	if o.out == "" {
		return
	}
	require.NoError(t, os.MkdirAll(o.out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(o.out, p.suite+".md"), []byte(p.markdown()), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(o.out, p.suite+".svg"), []byte(p.chart()), 0o644))
}
