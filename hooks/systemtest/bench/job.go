package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// job is a lab.T outside of go test: a failure is printed and ends it, and what was made
// is undone in the end.
type job struct {
	failed bool
	undo   []func()
}

// run runs a job, undoes what it made, and reports whether it succeeded.
func run(do func(lab.T)) bool {
	j := &job{}
	j.alone(func() { do(j) })
	// One that fails leaves the others to run.
	for _, undo := range slices.Backward(j.undo) {
		j.alone(undo)
	}
	return !j.failed
}

// alone runs a function that FailNow may end.
func (j *job) alone(do func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	<-ended
}

func (*job) Helper() {}

// Logf prints a line of progress.
func (*job) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// Errorf prints what failed.
func (j *job) Errorf(format string, args ...any) {
	j.failed = true
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// FailNow ends the function that alone runs.
func (j *job) FailNow() {
	j.failed = true
	runtime.Goexit()
}

// Cleanup notes what is undone in the end, the last first.
func (j *job) Cleanup(undo func()) { j.undo = append(j.undo, undo) }

// TempDir makes a directory that is removed in the end.
func (j *job) TempDir() string {
	dir, err := os.MkdirTemp("/var/tmp", "dkms-hooks-bench.")
	require.NoError(j, err)
	j.Cleanup(func() { require.NoError(j, os.RemoveAll(dir)) })
	return dir
}
