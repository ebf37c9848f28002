package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// aptRun is a whole run of apt, measured without any module as well: that is the floor,
// and what is above it is what the hooks cost.
type aptRun struct {
	work    string
	modules []int
	// installed reports whether the older kernel is there beforehand.
	installed bool
	// prepare is what nobody waits for, run what is measured, judge what has to hold
	// then. In all of them $N is the number of modules, $OLD and $NEW are the kernels.
	prepare, run, judge string
}

// aptModules is the number of modules of the runs that start with a kernel.
const aptModules = 8

func aptRuns() []aptRun {
	const there = `installed() { ls "/lib/modules/$1/updates/dkms/" 2>/dev/null | wc -l; }
`
	return []aptRun{
		{work: "apt install of image and headers", modules: []int{1, aptModules},
			run: `apt-get install -y linux-image-amd64 linux-headers-amd64`, judge: there + `[ "$(installed "$OLD")" -eq "$N" ]`},
		// A machine keeps two kernels. With the older one protected by nothing but its
		// being installed, two are enough to see one go.
		{work: "apt full-upgrade to a new kernel, autoremove of the old", modules: []int{aptModules}, installed: true,
			prepare: `echo "deb [trusted=yes] file:/srv/repo/2 ./" >>/etc/apt/sources.list && apt-get -q update`,
			run:     `apt-get full-upgrade -y && apt-get autoremove -y -o APT::Protect-Kernels=0`,
			judge:   there + `[ "$(installed "$NEW")" -eq "$N" ] && [ "$(installed "$OLD")" -eq 0 ] && [ ! -e "/boot/vmlinuz-$OLD" ]`},
		{work: "apt install --reinstall of image and headers", modules: []int{aptModules}, installed: true,
			run: `apt-get install -y --reinstall "linux-image-$OLD" "linux-headers-$OLD"`, judge: there + `[ "$(installed "$OLD")" -eq "$N" ]`},
	}
}

// aptSide is what a run is measured with: the stock hooks or ours, and how many modules
// are registered.
type aptSide struct {
	ours    bool
	modules int
}

// aptRoots holds the machines that apt runs on. They are in memory: what dpkg waits for
// a disk is the same for all, and more than what is looked for here.
type aptRoots struct {
	*roots
	old, new string
	// common is a machine with the repositories and no module, bare has modules and no
	// kernel, installed the older kernel as well.
	common          lab.Root
	bare, installed map[aptSide]lab.Root
}

func (l *roots) newAptRoots(t lab.T) *aptRoots {
	t.Helper()
	a := &aptRoots{roots: l, common: l.Base().Fork(t, l.Scratch), bare: map[aptSide]lab.Root{}, installed: map[aptSide]lab.Root{}}
	l.Make(t, "mkrepo", a.common.Dir)
	l.Compile(t, a.common, "measure")
	for i, kernel := range []*string{&a.old, &a.new} {
		images, err := filepath.Glob(a.common.Path("srv/repo", strconv.Itoa(i+1), "linux-image-[0-9]*.deb"))
		require.NoError(t, err)
		require.Len(t, images, 1)
		*kernel = a.common.Must(t, `dpkg-deb -f "$DEB" Package | sed 's/^linux-image-//' | tr -d '\n'`, "DEB=/srv/repo/"+strconv.Itoa(i+1)+"/"+filepath.Base(images[0]))
	}
	return a
}

// aptRows measures the runs that are asked for.
func (l *roots) aptRows(t lab.T) []result {
	t.Helper()
	var results []result
	var a *aptRoots
	for _, run := range aptRuns() {
		var modules []int
		for _, n := range run.modules {
			if l.asked(run.work, n, 1) {
				modules = append(modules, n)
			}
		}
		if len(modules) == 0 {
			continue
		}
		if a == nil {
			a = l.newAptRoots(t)
		}
		results = append(results, a.measureRun(t, run, modules)...)
	}
	return results
}

// measureRun runs all sides in turn: the floor, then stock and ours with each number of
// modules.
func (a *aptRoots) measureRun(t lab.T, run aptRun, modules []int) []result {
	t.Helper()
	var floor costs
	results := make([]result, len(modules))
	for range a.rounds(3) {
		floor = append(floor, a.measureOnce(t, run, aptSide{}))
		for i, n := range modules {
			results[i].stock = append(results[i].stock, a.measureOnce(t, run, aptSide{modules: n}))
			results[i].ours = append(results[i].ours, a.measureOnce(t, run, aptSide{ours: true, modules: n}))
		}
	}
	for i, n := range modules {
		results[i].suite, results[i].floor, results[i].row = a.Name, floor, row{work: run.work, n: n, k: 1}
		t.Logf("%s: %s: N=%d: floor %s, stock %s, ours %s", a.Name, run.work, n, costText(floor), costText(results[i].stock), costText(results[i].ours))
	}
	return results
}

// measureOnce runs apt on a machine that is thrown away afterwards, but for the first of
// each kind that got its kernel: other runs begin with it.
func (a *aptRoots) measureOnce(t lab.T, run aptRun, side aptSide) cost {
	t.Helper()
	from := a.machine(t, side)
	if run.installed {
		from = a.withKernel(t, side)
	}
	r := from.Fork(t, a.Scratch)
	env := a.variables(side)
	r.Must(t, run.prepare, env...)
	c := measure(t, r, measured{args: []string{"sh", "-c", run.run}, env: env})
	r.Must(t, run.judge, env...)
	// no run begins with a kernel and one module
	if _, made := a.installed[side]; made || run.installed || side.modules == 1 {
		r.Drop()
	} else {
		a.installed[side] = r
	}
	return c
}

func (a *aptRoots) variables(side aptSide) []string {
	return []string{"OLD=" + a.old, "NEW=" + a.new, fmt.Sprintf("N=%d", side.modules)}
}

// machine is one without a kernel.
func (a *aptRoots) machine(t lab.T, side aptSide) lab.Root {
	t.Helper()
	r, made := a.bare[side]
	if !made {
		r = a.common.Fork(t, a.Scratch)
		for i := range side.modules {
			a.Make(t, "mkmodule", r.Dir, moduleName(i), "1.0")
		}
		if side.ours {
			r.CopyIn(t, a.Deb, "dkms-hooks.deb")
			r.Must(t, "dpkg -i /srv/dkms-hooks.deb")
		}
		a.bare[side] = r
	}
	return r
}

// withKernel is one with the older kernel, as apt installs it.
func (a *aptRoots) withKernel(t lab.T, side aptSide) lab.Root {
	t.Helper()
	r, made := a.installed[side]
	if !made {
		r = a.machine(t, side).Fork(t, a.Scratch)
		install := aptRuns()[0]
		r.Must(t, install.run+"\n"+install.judge, a.variables(side)...)
		a.installed[side] = r
	}
	return r
}

// aptTable is what a person waits for.
func (p part) aptTable(b *strings.Builder) {
	if len(p.apt) == 0 {
		return
	}
	b.WriteString("\n### Whole runs of apt\n\n" +
		"Wall time of apt-get with the suite's real image and headers, the packages at hand and initramfs-tools installed; the roots are in memory, so that no disk is timed. " +
		"The floor is the same run without any module: what is above it is what the hooks cost.\n\n" +
		"| work | N | runs | floor | stock | ours | stock above the floor | ours above the floor | ours / stock above the floor | ours / stock |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, res := range p.apt {
		floor, stock, ours := res.floor.wall(), res.stock.wall(), res.ours.wall()
		fmt.Fprintf(b, "| %s | %d | %d | %s | %s | %s | %s | %s | %s | %s |\n", res.row.work, res.row.n, len(res.ours), timeText(floor), timeText(stock), timeText(ours),
			timeText(stock-floor), timeText(ours-floor), share(ours-floor, stock-floor), share(ours, stock))
	}
}
