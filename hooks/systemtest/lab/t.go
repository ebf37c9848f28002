package lab

// T is what a lab needs of the test or the program that works in it: to be told of a
// failure, and to undo in the end what was made. A *testing.T is one.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	// FailNow ends the caller. What Cleanup was given still runs.
	FailNow()
	Cleanup(undo func())
	// TempDir makes a directory that is removed in the end.
	TempDir() string
}
