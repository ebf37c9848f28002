//go:build integration

package systemtest

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// job is work of the hooks that is cut off, from a state that it begins in.
type job struct {
	name string
	from lab.Root
	// do is the hook, as it is called; it is called the same way once more.
	do string
	// keeps are modules that the kernel has at every instant.
	keeps []string
}

// testKill cuts off with SIGKILL the hooks, depmod, dkms and what it starts, or all of
// them, each before a call of theirs that changes a file. At no instant is a kernel
// without a module that it had, and after one more run all is as after a run that nobody
// disturbed. The calls are drawn by a seed, which is printed: with -kill-seed a
// failure comes again.
func testKill(t *testing.T, l suite) {
	seed := l.killSeed
	if seed == 0 {
		seed = int(time.Now().UnixNano()%1e6) + 1
	}
	count := &killed{}
	t.Cleanup(func() {
		t.Logf("%s: %d kills (-kill-seed %d), %d runs had ended before; %d states seen, violations: %d",
			l.Name, count.kills, seed, count.late, len(count.states), count.violations)
	})
	for i, j := range l.jobs(t) {
		chance := rand.New(rand.NewSource(int64(seed + i)))
		t.Run(j.name, func(t *testing.T) {
			want, took := l.undisturbed(t, j)
			for _, p := range l.places(t, j, chance) {
				t.Run(p.String(), func(t *testing.T) { count.place(t, l, j, want, p) })
			}
			for i := range l.kills {
				after := time.Duration(chance.Int63n(int64(took)))
				count.instant(t, l, j, want, after, []string{"hook", "dkms", "both"}[i%3])
			}
		})
	}
}

// killPoint is a call at which to kill: the n-th of a group of processes (testdata/lab/killat.c).
type killPoint struct {
	of, what string
	n        int
}

func (p killPoint) String() string { return fmt.Sprintf("%s at call %d of %s", p.what, p.n, p.of) }

// places draws where to kill: some places, or with kills to spare every one of the hooks'
// own calls and many of the others'.
func (l suite) places(t *testing.T, j job, chance *rand.Rand) []killPoint {
	t.Helper()
	r := j.from.Fork(t, l.Scratch)
	out := r.Must(t, "/srv/killat none 0 one "+j.do, l.killEnv(t)...)
	var calls [3]int
	_, counts, found := strings.Cut(out, "killat: ")
	require.True(t, found, out)
	_, err := fmt.Sscanf(counts, "hook=%d depmod=%d dkms=%d", &calls[0], &calls[1], &calls[2])
	require.NoError(t, err, out)
	require.NotZero(t, calls[0], out)
	whats := []string{"one", "all"}
	var places []killPoint
	for i, of := range []string{"hook", "depmod", "dkms"} {
		switch {
		case calls[i] == 0:
		case l.kills > 0 && of == "hook":
			for n := range calls[i] {
				places = append(places, killPoint{of, whats[n%2], n + 1})
			}
		default:
			for k := range max(l.kills, map[string]int{"hook": 2}[of], 1) {
				places = append(places, killPoint{of, whats[(k+chance.Intn(2))%2], 1 + chance.Intn(calls[i])})
			}
		}
	}
	return places
}

// killed counts. What the stock hooks violate is counted and no error.
type killed struct {
	stock                   bool
	kills, late, violations int
	// states are the states seen after a kill, by what a listing gives.
	states map[string]bool
}

// listing lists what the hooks work on, with the contents of what has to be the same
// after every run. Times, logs and the record are left out.
const listing = `cd / && { find var/lib/dkms lib/modules/$K/ ! -path '*/log/*' ! -path '*/build/*' ! -name source ! -name build -printf '%y %p %l\n' | sed 's/ *$//'
find var/lib/dkms lib/modules/$K/ ! -path '*/build/*' -name '*.ko*' -type f -exec sha256sum {} +
sha256sum lib/modules/$K/modules.dep lib/modules/$K/modules.dep.bin lib/modules/$K/modules.symbols.bin 2>/dev/null; ls -A var/lib/dkms-hooks/unfinished 2>/dev/null
for m in alpha beta gamma; do echo "$m $(modinfo -k $K -n $m 2>/dev/null)"; done; } | sort`

// undisturbed is the state after a run that nobody disturbs, and how long that takes.
func (l suite) undisturbed(t *testing.T, j job) (string, time.Duration) {
	t.Helper()
	r := j.from.Fork(t, l.Scratch)
	started := time.Now()
	out := r.Must(t, j.do, l.killEnv(t)...)
	took := time.Since(started)
	for _, module := range j.keeps {
		require.True(t, l.hasModule(t, r, module), out)
	}
	r.Must(t, j.do, l.killEnv(t)...)
	return r.Must(t, listing, l.killEnv(t)...), took
}

// place kills at a call.
func (k *killed) place(t *testing.T, l suite, j job, want string, p killPoint) {
	t.Helper()
	r := j.from.Fork(t, l.Scratch)
	out, exit := r.Run(t, fmt.Sprintf("/srv/killat %s %d %s %s", p.of, p.n, p.what, j.do), l.killEnv(t)...)
	const killedBy = 99
	if exit == killedBy {
		k.kills++
	} else { // what runs side by side makes some more calls, or some fewer
		k.late++
	}
	k.judge(t, l, j, r, want, p.String(), out)
}

// instant kills the hook, dkms, or both after a time.
func (k *killed) instant(t *testing.T, l suite, j job, want string, after time.Duration, what string) {
	t.Helper()
	r := j.from.Fork(t, l.Scratch)
	kill := map[string]string{
		"hook": `kill -9 $hook`,
		"dkms": `for p in $(cat /proc/$hook/task/*/children); do kill -9 -$p || kill -9 $p; done`,
		"both": `for p in $(cat /proc/$hook/task/*/children); do kill -9 -$p || kill -9 $p; done; kill -9 $hook`,
	}[what]
	out, exit := r.Run(t, fmt.Sprintf(`%s & hook=$!; sleep %.3f; { %s; } 2>/dev/null; wait $hook`, j.do, after.Seconds(), kill), l.killEnv(t)...)
	if exit == 0 && what != "dkms" {
		k.late++
	} else {
		k.kills++
	}
	k.judge(t, l, j, r, want, fmt.Sprintf("%s killed after %s", what, after), out)
}

// judge looks at a root right after a kill, runs the hook once more and compares.
func (k *killed) judge(t *testing.T, l suite, j job, r lab.Root, want, how, out string) {
	t.Helper()
	seen := r.Must(t, listing, l.killEnv(t)...)
	if k.states == nil {
		k.states = map[string]bool{}
	}
	k.states[seen] = true
	var wrong []string
	for _, module := range j.keeps {
		if !l.hasModule(t, r, module) {
			wrong = append(wrong, "the kernel is without "+module)
		}
	}
	again, _ := r.Run(t, j.do, l.killEnv(t)...)
	if got := r.Must(t, listing, l.killEnv(t)...); got != want {
		wrong = append(wrong, "the end is not that of an undisturbed run")
		if !k.stock {
			assert.Equal(t, want, got)
		}
	}
	if len(wrong) > 0 {
		k.violations++
	}
	if !k.stock {
		assert.Empty(t, wrong, "%s\n%s\nagain:\n%s", how, out, again)
	}
}

// testStockWorst gives the stock hooks the same kills and full disks, for comparison.
func testStockWorst(t *testing.T, l suite) {
	if !l.withStock {
		t.Skip("the stock hooks are run by make compare")
	}
	of := l
	of.ours, of.stages = l.stock, newStages(t)
	settled := of.small(t)
	env := l.killEnv(t)
	l.Make(t, "mkmodule", settled.Dir, "gamma", "1.0")
	const build, remove = "/etc/kernel/postinst.d/dkms $K", "/etc/kernel/prerm.d/dkms $K"
	settled.Must(t, build, env...)
	unbuilt := settled.Fork(t, l.Scratch)
	unbuilt.Must(t, `for m in beta alpha; do dkms unbuild $m/1.0 -k $K; done`, env...)
	count := &killed{stock: true}
	chance := rand.New(rand.NewSource(1))
	for _, j := range []job{{name: "build", from: unbuilt, do: build, keeps: []string{"gamma"}}, {name: "remove", from: settled, do: remove}} {
		want, took := of.undisturbed(t, j)
		for i := range max(l.kills, 15) {
			count.instant(t, of, j, want, time.Duration(chance.Int63n(int64(took))), []string{"hook", "dkms", "both"}[i%3])
		}
	}
	t.Logf("%s, stock: %d kills, violations: %d", l.Name, count.kills, count.violations)
	lost, places := 0, []string{"/var/lib/dkms", "/lib/modules/" + strings.TrimPrefix(env[0], "K=") + "/updates", "/lib/modules/" + strings.TrimPrefix(env[0], "K=")}
	for _, place := range places {
		r := unbuilt.Fork(t, l.Scratch)
		full(t, r, place, 0)
		r.Run(t, build, env...)
		zero := r.Must(t, `find /var/lib/dkms /lib/modules/$K -name '*.ko*' -size 0; rm "$D/filler"`, append(env, "D="+place)...)
		if zero != "" || !l.hasModule(t, r, "gamma") {
			lost++
		}
	}
	t.Logf("%s, stock: %d of %d full disks cost a module that worked or left one of 0 bytes", l.Name, lost, len(places))
}

func (l suite) killEnv(t *testing.T) []string {
	t.Helper()
	if k, ok := l.quick(t); ok {
		return []string{"K=" + k.kver}
	}
	return []string{"K=" + l.Kver}
}

// quick is a real kernel with another ABI in its third revision, if there is one.
func (l suite) quick(t *testing.T) (realKernel, bool) {
	t.Helper()
	if l.kernels == "" {
		return realKernel{}, false
	}
	for _, k := range findKernels(t, l.kernels) {
		if k.has("3") && k.has("2") {
			return k, true
		}
	}
	return realKernel{}, false
}

// needQuick is such a kernel. Where there is none, it skips the test.
func (l suite) needQuick(t *testing.T, which string) realKernel {
	t.Helper()
	k, ok := l.quick(t)
	if !ok {
		skipKernels(t, which)
	}
	return k
}

// jobs are the works of the hooks: to build, to mend, to remove, and, where there are
// kernels for it, to replace builds that no longer fit.
func (l suite) jobs(t *testing.T) []job {
	t.Helper()
	post, gone := `dkms-hooks run postinst $K`, `dkms-hooks run prerm $K --params remove`
	settled := l.small(t)
	l.Compile(t, settled, "killat")
	l.Make(t, "mkmodule", settled.Dir, "gamma", "1.0")
	settled.Must(t, post, l.killEnv(t)...)
	build := settled.Fork(t, l.Scratch)
	build.Must(t, `for m in alpha beta; do dkms unbuild $m/1.0 -k $K; done`, l.killEnv(t)...)
	mend := settled.Fork(t, l.Scratch)
	mend.Must(t, `rm /lib/modules/$K/updates/dkms/alpha.ko* && rm -r /var/lib/dkms/beta/1.0/$K && depmod $K`, l.killEnv(t)...)
	jobs := []job{
		{name: "build", from: build, do: post, keeps: []string{"gamma"}},
		{name: "mend", from: mend, do: post, keeps: []string{"gamma"}},
		{name: "remove", from: settled, do: gone},
	}
	if k, ok := l.quick(t); ok {
		stale := settled.Fork(t, l.Scratch)
		stale.Must(t, `mv /etc/kernel /etc/kernel.away && dpkg --no-triggers -i $image $headers && rm -r /etc/kernel && mv /etc/kernel.away /etc/kernel && depmod $K`,
			"K="+k.kver, "image="+k.in("image", "3"), "headers="+k.in("headers", "3"))
		jobs = append(jobs, job{name: "replace", from: stale, do: post, keeps: []string{"alpha", "beta", "gamma"}})
	}
	return jobs
}

// small forks a root with a kernel and two tiny modules: a real kernel that is built for
// in a second, where there is one.
func (l suite) small(t *testing.T) lab.Root {
	t.Helper()
	k, ok := l.quick(t)
	if !ok {
		return l.whole("builddeb").settled.Fork(t, l.Scratch)
	}
	small := l.stages.get("small", func(t *testing.T) stage {
		bare := l.ours.Fork(t, l.Scratch)
		bare.Must(t, "dpkg -P acpi-call-dkms")
		r, _ := l.withKernel(t, bare, k)
		return stage{settled: r}
	})
	return small.settled.Fork(t, l.Scratch)
}
