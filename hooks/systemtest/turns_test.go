package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

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

// Every part is played in one suite, and in each suite without -quick.
func TestTurns(t *testing.T) {
	for suites := 1; suites <= 3; suites++ {
		for part := range 7 {
			played, all := 0, 0
			for mine := range suites {
				if (turns{of: suites, mine: mine, take: true}).has(part) {
					played++
				}
				if (turns{of: suites, mine: mine}).has(part) {
					all++
				}
			}
			assert.Equal(t, []int{1, suites}, []int{played, all}, "part %d of %d suites", part, suites)
		}
	}
}
