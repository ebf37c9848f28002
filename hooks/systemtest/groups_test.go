//go:build integration

package systemtest

import "testing"

// group is a part of the system tests.
type group struct {
	name string
	test func(*testing.T, suite)
	// anySuite reports whether the group is about this program, dpkg and the kernel, and
	// not about what the dkms of a suite does. With -quick it is played in one suite.
	anySuite bool
}

// groups are all of them, in their order.
func groups() []group {
	return []group{
		{name: "matrix", test: testMatrix},
		{name: "troubles", test: testTroubles},
		{name: "at once", test: testAtOnce, anySuite: true},
		{name: "eight at once", test: testEight, anySuite: true},
		{name: "no space", test: testFull, anySuite: true},
		{name: "by hand", test: testByHand, anySuite: true},
		{name: "heal", test: testHeal},
		{name: "walk", test: testWalk},
		{name: "stockwise", test: testStockwise},
		{name: "reconcile", test: testReconcile, anySuite: true},
		{name: "package", test: testPackage},
		{name: "hook states", test: testHookStates},
		{name: "package in the run", test: testPackageInRun},
		{name: "module upgrade", test: testModuleUpgrade},
		{name: "traces", test: testTraces},
		{name: "fresh", test: testFresh, anySuite: true},
		{name: "beside", test: testBeside, anySuite: true},
		{name: "bounds", test: testBounds, anySuite: true},
		{name: "conf", test: testConf},
		{name: "headers", test: testHeaders, anySuite: true},
		{name: "failure", test: testFailure, anySuite: true},
		{name: "rollback", test: testRollBackShown, anySuite: true},
		{name: "initramfs", test: testInitramfs, anySuite: true},
		{name: "caller", test: testCaller, anySuite: true},
		{name: "command", test: testCommand},
		{name: "findings", test: testFindings},
		{name: "forgotten", test: testForgotten},
		{name: "space", test: testSpace, anySuite: true},
		{name: "places", test: testPlaces, anySuite: true},
		{name: "kill", test: testKill, anySuite: true},
		{name: "stock", test: testStockWorst},
		{name: "boot", test: testBoot, anySuite: true},
		{name: "engines", test: testEngines},
	}
}

// turns says what a suite plays with -quick, where each part is played in one suite only,
// by turns. So every part is played once, and in a run of one suite nothing is left out.
type turns struct {
	of, mine int
	take     bool
}

// has reports whether the suite plays the part of that number.
func (n turns) has(part int) bool { return !n.take || part%n.of == n.mine }

// need skips a test that another suite plays. The last line of make check counts the tests
// that say so.
func (n turns) need(t *testing.T, part int) {
	t.Helper()
	if !n.has(part) {
		t.Skip("left to make integration: with -quick it is played in another suite")
	}
}
