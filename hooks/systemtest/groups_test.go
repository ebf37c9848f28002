//go:build integration

package systemtest

import "testing"

// group is a part of the system tests.
type group struct {
	name string
	test func(*testing.T, suite)
}

// everySuite are the groups about what the dkms of a suite does. With -quick most of their
// cases are played in one suite each, by turns.
func everySuite() []group {
	return []group{
		{"matrix", testMatrix},
		{"troubles", testTroubles},
		{"heal", testHeal},
		{"walk", testWalk},
		{"stockwise", testStockwise},
		{"package", testPackage},
		{"hook states", testHookStates},
		{"package in the run", testPackageInRun},
		{"module upgrade", testModuleUpgrade},
		{"traces", testTraces},
		{"conf", testConf},
		{"command", testCommand},
		{"findings", testFindings},
		{"forgotten", testForgotten},
		{"stock", testStockWorst},
		{"engines", testEngines},
		{"split", testSplit},
		{"oracle", testOracle},
		{"initramfs put back", testPutBack},
	}
}

// anySuite are the groups about this program, dpkg and the kernel. With -quick each is
// played in one suite. In this order both suites take about as long.
func anySuite() []group {
	return []group{
		{"boot", testBoot},
		{"caller", testCaller},
		{"kill", testKill},
		{"at once", testAtOnce},
		{"beside", testBeside},
		{"fresh", testFresh},
		{"by hand", testByHand},
		{"failure", testFailure},
		{"rollback", testRollBackShown},
		{"bounds", testBounds},
		{"headers", testHeaders},
		{"reconcile", testReconcile},
		{"space", testSpace},
		{"places", testPlaces},
		{"no space", testFull},
		{"eight at once", testEight},
		{"initramfs", testInitramfs},
		{"callers", testCallers},
		{"shadow", testShadow},
		{"hold", testHold},
	}
}
