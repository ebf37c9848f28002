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
		{"headers", testHeaders},
		{"kill", testKill},
		{"failure", testFailure},
		{"at once", testAtOnce},
		{"no space", testFull},
		{"beside", testBeside},
		{"by hand", testByHand},
		{"fresh", testFresh},
		{"rollback", testRollBackShown},
		{"bounds", testBounds},
		{"reconcile", testReconcile},
		{"places", testPlaces},
		{"shadow", testShadow},
		{"space", testSpace},
		{"eight at once", testEight},
		{"initramfs", testInitramfs},
		{"callers", testCallers},
		{"caller", testCaller},
		{"hold", testHold},
	}
}
