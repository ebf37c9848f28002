//go:build integration

package systemtest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
func (r root) measure(t *testing.T, m measured) cost {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", slices.Concat([]string{"-p", "-f", "--kill-child", "--mount-proc=" + r.dir + "/proc", "chroot", r.dir, "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "DEBIAN_FRONTEND=noninteractive"},
		m.env, []string{"/srv/measure", "/srv/out"}, m.args)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%v: %s", m.args, out)
	var c cost
	var exit int
	_, err = fmt.Sscan(string(out), &c.wall, &c.cpu, &c.processes, &c.peak, &exit)
	require.NoError(t, err, "%s", out)
	said, _ := os.ReadFile(r.path("srv/out"))
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
