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
	t.Run("suite", func(t *testing.T) {
		for _, suite := range b.SuiteNames() {
			t.Run(suite, func(t *testing.T) {
				t.Parallel()
				l := newSuite(t, b, s, suite)
				t.Run("matrix", func(t *testing.T) { testMatrix(t, l) })
				t.Run("troubles", func(t *testing.T) { testTroubles(t, l, table) })
				t.Run("at once", func(t *testing.T) { testAtOnce(t, l) })
				t.Run("eight at once", func(t *testing.T) { testEight(t, l) })
				t.Run("no space", func(t *testing.T) { testFull(t, l) })
				t.Run("by hand", func(t *testing.T) { testByHand(t, l) })
				t.Run("heal", func(t *testing.T) { testHeal(t, l) })
				t.Run("walk", func(t *testing.T) { testWalk(t, l) })
				t.Run("stockwise", func(t *testing.T) { testStockwise(t, l) })
				t.Run("reconcile", func(t *testing.T) { testReconcile(t, l) })
				t.Run("package", func(t *testing.T) { testPackage(t, l) })
				t.Run("package in the run", func(t *testing.T) { testPackageInRun(t, l) })
				t.Run("module upgrade", func(t *testing.T) { testModuleUpgrade(t, l) })
				t.Run("traces", func(t *testing.T) { testTraces(t, l) })
				t.Run("fresh", func(t *testing.T) { testFresh(t, l, table) })
				t.Run("beside", func(t *testing.T) { testBeside(t, l) })
				t.Run("bounds", func(t *testing.T) { testBounds(t, l) })
				t.Run("conf", func(t *testing.T) { testConf(t, l) })
				t.Run("headers", func(t *testing.T) { testHeaders(t, l) })
				t.Run("failure", func(t *testing.T) { testFailure(t, l) })
				t.Run("rollback", func(t *testing.T) { testRollBackShown(t, l) })
				t.Run("initramfs", func(t *testing.T) { testInitramfs(t, l) })
				t.Run("caller", func(t *testing.T) { testCaller(t, l) })
				t.Run("command", func(t *testing.T) { testCommand(t, l) })
				t.Run("findings", func(t *testing.T) { testFindings(t, l) })
				t.Run("forgotten", func(t *testing.T) { testForgotten(t, l) })
				t.Run("space", func(t *testing.T) { testSpace(t, l) })
				t.Run("places", func(t *testing.T) { testPlaces(t, l) })
				t.Run("kill", func(t *testing.T) { testKill(t, l) })
				t.Run("stock", func(t *testing.T) { testStockWorst(t, l) })
				t.Run("boot", func(t *testing.T) { testBoot(t, l, table) })
			})
		}
	})
}
