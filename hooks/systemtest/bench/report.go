package main

import (
	"fmt"
	"slices"
	"strings"
)

// part is what the benchmark found in one suite.
type part struct {
	suite, kernel, dkms string
	cores               int
	// shell is `sh -c :`, the measure of what starting any program costs.
	shell   costs
	results []result
	// apt, large, memory and mixtures are the other rows, each by what they are about.
	apt, large, memory []result
	mixtures           mixtureSet
	// compile and depmod are the parts of the bound for building, makes what make has
	// in it; beside is dkms alone, called for as many modules at once as there are cores.
	compile, makes, depmod, beside costs
	// compared is how many files, links and directories of the end states are the same.
	compared int
}

// line is a row as a line of text.
func (res result) line() string {
	return fmt.Sprintf("%s: %s: N=%d K=%d: stock %s, ours %s, %s", res.suite, res.row.work, res.row.n, res.row.k, costText(res.stock), costText(res.ours), res.ratio())
}

func costText(cs costs) string {
	if len(cs) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s / %s / %d / %.1f MB", timeText(cs.wall()), timeText(cs.cpu()), cs.processes(), float64(cs.peak())/1024)
}

func timeText(seconds float64) string {
	switch {
	case seconds < 0: // noise, where two measures are compared
		return "−" + timeText(-seconds)
	case seconds >= 10:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds >= 0.1:
		return fmt.Sprintf("%.2f s", seconds)
	}
	return fmt.Sprintf("%.1f ms", seconds*1000)
}

func (res result) ratio() string {
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

// markdown returns the whole as a page.
func (p part) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the hooks cost in %s, stock and ours\n\n"+
		"Written by `make bench`: stock and ours in turn, in roots with Debian's own dkms, headers and kernel modules (dkms %s, kernel %s, %d processors). "+
		"Medians of whole processes with all that they started: wall / CPU / processes / memory of the largest. "+
		"N modules, installed on K kernels; runs of stock, of ours.\n", p.suite, p.dkms, p.kernel, p.cores)
	p.aptTable(&b)
	p.buildTable(&b)
	p.mixtureTable(&b)
	p.hookTable(&b)
	p.memoryTable(&b)
	return b.String()
}

// hookTable is what a hook or a command costs by itself.
func (p part) hookTable(b *strings.Builder) {
	hooks := p.rows(func(res result) bool { return res.row.work != buildWork })
	if len(hooks) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### Hooks and commands alone\n\nWhat one call costs; `sh -c :` costs %s. × is stock's wall time over ours.\n\n", costText(p.shell))
	b.WriteString("| work | N | K | runs | stock | ours | × | ours / `sh -c :` |\n|---|---|---|---|---|---|---|---|\n")
	for _, res := range hooks {
		fmt.Fprintf(b, "| %s | %d | %d | %d, %d | %s | %s | %s | %s |\n", res.row.work, res.row.n, res.row.k, len(res.stock), len(res.ours),
			costText(res.stock), costText(res.ours), res.ratio(), ratioText(res.ours.wall()/p.shell.wall()))
	}
}

// rows are those results that are asked for.
func (p part) rows(asked func(result) bool) []result {
	return slices.DeleteFunc(slices.Clone(p.results), func(res result) bool { return !asked(res) })
}

// share is ours as a part of stock's.
func share(ours, stock float64) string { return fmt.Sprintf("%.2f", ours/stock) }
