package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// cost is what one run of a program cost, all that it started included.
type cost struct {
	wall, cpu float64 // seconds
	processes int     // the program itself included, threads not
	peak      int     // kB, of the largest process
}

// measured is a program with its environment.
type measured struct {
	args, env []string
	exit      int
}

// measure runs a program in the root by testdata/lab/measure.c. What it printed is
// in /srv/out of the root.
func measure(t lab.T, r lab.Root, m measured) cost {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	out, err := r.Command(ctx, m.env, append([]string{"/srv/measure", "/srv/out"}, m.args...)...).CombinedOutput()
	require.NoError(t, err, "%v: %s", m.args, out)
	var c cost
	var exit int
	_, err = fmt.Sscan(string(out), &c.wall, &c.cpu, &c.processes, &c.peak, &exit)
	require.NoError(t, err, "%s", out)
	said, _ := os.ReadFile(r.Path("srv/out"))
	require.Equal(t, m.exit, exit, "%v: %.2000s", m.args, said)
	return c
}

// costs are those of several runs of one program.
type costs []cost

func medianOf[T cmp.Ordered](cs costs, of func(cost) T) T {
	values := make([]T, len(cs))
	for i, c := range cs {
		values[i] = of(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (cs costs) wall() float64 { return medianOf(cs, func(c cost) float64 { return c.wall }) }
func (cs costs) cpu() float64  { return medianOf(cs, func(c cost) float64 { return c.cpu }) }
func (cs costs) processes() int {
	return medianOf(cs, func(c cost) int { return c.processes })
}
func (cs costs) peak() int { return medianOf(cs, func(c cost) int { return c.peak }) }
