package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// A job that fails ends there, and what it made is undone, the last first, though one
// that undoes fails as well.
func TestJob(t *testing.T) {
	var done []string
	note := func(what string) func() { return func() { done = append(done, what) } }
	var dir string
	work := func(fail func(lab.T)) func(lab.T) {
		return func(j lab.T) {
			done = nil
			dir = j.TempDir()
			j.Cleanup(note("first"))
			j.Cleanup(func() { note("second")(); fail(j) })
			j.Cleanup(note("third"))
			fail(j)
			note("end")()
		}
	}
	assert.True(t, run(work(func(lab.T) {})))
	assert.Equal(t, []string{"end", "third", "second", "first"}, done)
	assert.NoDirExists(t, dir)

	assert.False(t, run(work(func(j lab.T) { require.Fail(j, "as asked for") })))
	assert.Equal(t, []string{"third", "second", "first"}, done)
	assert.NoDirExists(t, dir)
}

func TestOptions(t *testing.T) {
	o, err := readOptions([]string{"-rows", "status 50?", "-rounds", "2", "-out", "x", "-suites", "sid trixie"})
	require.NoError(t, err)
	assert.Equal(t, []string{"sid", "trixie"}, o.SuiteNames())
	assert.True(t, o.asked("status", 5, 1) && o.asked("status", 50, 5))
	assert.False(t, o.asked("status", 1, 1))
	assert.Equal(t, []int{2, 1}, []int{o.rounds(5), o.rounds(1)})

	_, err = readOptions([]string{"-rows", "("})
	assert.ErrorContains(t, err, "cannot read -rows: ")
	_, err = readOptions([]string{"rows"})
	assert.ErrorContains(t, err, `unknown argument "rows"`)
	o, err = readOptions(nil)
	require.NoError(t, err)
	assert.True(t, o.asked("any", 1, 1))
	assert.Equal(t, 5, o.rounds(5))
	assert.Empty(t, o.out, "nothing is written without -out")
}
