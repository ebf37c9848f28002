//go:build integration

package systemtest

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"dkms-hooks/hooks/systemtest/lab"
)

// TestMain runs the tests in a mount namespace of their own, so that nothing
// they mount can stay behind.
func TestMain(m *testing.M) {
	new(lab.Settings).Define(flag.CommandLine)
	new(settings).define(flag.CommandLine)
	flag.Parse()
	if err := lab.PrivateMounts(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestSystem runs every story in every suite, the suites side by side.
func TestSystem(t *testing.T) {
	inLab, s := readSettings(t)
	b := lab.New(t, inLab)
	table := &outcomes{file: s.table}
	t.Cleanup(func() { table.print(t) })
	names := b.SuiteNames()
	t.Run("suite", func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				l := newSuite(t, b, s, name)
				l.table, l.turns = table, turns{of: len(names), mine: i, take: s.quick}
				for _, g := range everySuite() {
					t.Run(g.name, func(t *testing.T) { g.test(t, l) })
				}
				for i, g := range anySuite() {
					t.Run(g.name, func(t *testing.T) {
						l.turns.need(t, i)
						g.test(t, l)
					})
				}
			})
		}
	})
}
