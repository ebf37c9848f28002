//go:build integration

package systemtest

import (
	"fmt"
	"strings"
)

// speedReport is what the benchmark found, by suite.
type speedReport struct{ parts []speedPart }

// speedPart is that of one suite.
type speedPart struct {
	suite, kernel, dkms string
	cores               int
	// shell is `sh -c :`, the measure of what starting any program costs.
	shell   costs
	results []speedResult
	// compile and depmod are the parts of the bound for building, makes what make has
	// in it; beside is dkms alone, called for as many modules at once as there are cores.
	compile, makes, depmod, beside costs
	// compared is how many files, links and directories of the end states are the same.
	compared int
}

// line is a row as a line of text.
func (res speedResult) line(p speedPart) string {
	return fmt.Sprintf("%s: %s: N=%d K=%d: stock %s, ours %s, %s", p.suite, res.row.work, res.row.n, res.row.k, costText(res.stock), costText(res.ours), res.ratio())
}

func costText(cs costs) string {
	if len(cs) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s / %s / %d / %.1f MB", timeText(cs.wall()), timeText(cs.cpu()), cs.processes(), float64(cs.peak())/1024)
}

func timeText(seconds float64) string {
	switch {
	case seconds >= 10:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds >= 0.1:
		return fmt.Sprintf("%.2f s", seconds)
	}
	return fmt.Sprintf("%.1f ms", seconds*1000)
}

func (res speedResult) ratio() string {
	if len(res.stock) == 0 {
		return "–"
	}
	return ratioText(res.stock.wall() / res.ours.wall())
}

func ratioText(ratio float64) string {
	if ratio >= 10 {
		return fmt.Sprintf("%.0f×", ratio)
	}
	return fmt.Sprintf("%.1f×", ratio)
}

// markdown writes the whole as a page.
func (r speedReport) markdown() string {
	var b strings.Builder
	b.WriteString("# What the hooks cost, stock and ours\n\n" +
		"Written by `make bench`: stock and ours in turn, on the same disk, in roots with Debian's own dkms, headers and kernel modules. " +
		"Medians of whole processes with all that they started: wall / CPU / processes / memory of the largest. " +
		"N modules, installed on K kernels. × is stock's wall time over ours.\n")
	for _, p := range r.parts {
		fmt.Fprintf(&b, "\n## %s: dkms %s, kernel %s, %d cores\n\n", p.suite, p.dkms, p.kernel, p.cores)
		fmt.Fprintf(&b, "`sh -c :` costs %s.\n\n", costText(p.shell))
		b.WriteString("| work | N | K | runs | stock | ours | × | ours / `sh -c :` |\n|---|---|---|---|---|---|---|---|\n")
		for _, res := range p.results {
			fmt.Fprintf(&b, "| %s | %d | %d | %d, %d | %s | %s | %s | %s |\n", res.row.work, res.row.n, res.row.k, len(res.stock), len(res.ours),
				costText(res.stock), costText(res.ours), res.ratio(), ratioText(res.ours.wall()/p.shell.wall()))
		}
		if len(p.compile) > 0 {
			p.bound(&b)
		}
	}
	return b.String()
}

// bound says how near building came to what it cannot be below.
func (p speedPart) bound(b *strings.Builder) {
	compile, makes, depmod := p.compile.cpu(), p.makes.cpu(), p.depmod.wall()
	bound := compile/float64(p.cores) + depmod
	fmt.Fprintf(b, "\nBuilding cannot be faster than the CPU of compiling ÷ cores + one depmod. `dkms build` of the modules costs %s of CPU "+
		"(`make` alone: %s), depmod takes %s: the bound is %s.", timeText(compile), timeText(makes), timeText(depmod), timeText(bound))
	floor := p.beside.wall() + depmod
	fmt.Fprintf(b, " `xargs -P` with dkms build, which nothing verifies and which installs nothing, and one depmod take %s.", timeText(floor))
	for _, res := range p.results {
		if res.row.work == buildWork {
			fmt.Fprintf(b, " Ours takes %.2f of the bound, and %.2f of that.", res.ours.wall()/bound, res.ours.wall()/floor)
		}
	}
	if p.compared > 0 {
		fmt.Fprintf(b, "\n\nAfter building and installing, the %d files, links and directories of the DKMS tree, of updates/ and of depmod are those "+
			"that stock leaves, byte for byte (logs apart).", p.compared)
	}
	b.WriteString("\n")
}
