package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/bootloader"
	"dkms-hooks/hooks"
)

func (p program) statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "list the modules of each kernel, and what is wrong",
		ArgsUsage: "[KERNEL-RELEASE]",
		Description: "A module is installed, damaged (an installed file is missing or is not the one that was built), built\n" +
			"(and not installed) or added (only registered with dkms). Its build is fresh (fits the kernel), stale (does\n" +
			"not fit) or unknown (neither can be shown). A module is listed if there is something to say about it, and\n" +
			"with --verbose or a kernel release in any case.\n\n" +
			"The exit status is 0 if nothing is wrong, 1 if something is, and 3 if it cannot be determined.",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "boot", Usage: "only what decides about the modules of the running kernel and of those that may boot next"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print JSON, as described in status.schema.json"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.optionalKernel(c)
			if err != nil {
				return err
			}
			read := hooks.ReadOverview
			if c.Bool("boot") {
				if read = hooks.ReadBootOverview; inv.Kernel != "" {
					return errors.New("--boot selects the kernels, and takes no kernel release")
				}
			}
			return act(func(ctx context.Context) int {
				o, err := read(ctx, inv)
				if err != nil {
					return p.failed(err)
				}
				if c.Bool("json") {
					return p.printJSON(o)
				}
				return p.printStatus(c, inv, o)
			})
		},
	}
}

func (p program) printJSON(o hooks.Overview) int {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(o); err != nil {
		return p.failed(err)
	}
	if _, err := p.stdout.Write(escapeControls(text.Bytes())); err != nil {
		return p.failed(err)
	}
	return o.Status()
}

// escapeControls writes those control characters of a JSON text as \u00XX that encoding/json leaves
// as they are. They can only be in strings, and mean the same.
func escapeControls(text []byte) []byte {
	const first, last = 0x7f, 0x9f
	var escaped []byte
	for _, r := range string(text) {
		if r >= first && r <= last {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return escaped
}

func (p program) printStatus(c *cli.Context, inv hooks.Invocation, o hooks.Overview) int {
	p.printTroubles(o)
	out := p.page(c)
	defer out.Flush()
	for _, k := range o.Kernels {
		if !inv.Quiet || !k.Complete {
			out.kernel(k, o.On(k.Release), detailOf(o, k, inv))
		}
	}
	general := o.On("")
	out.findings(general)
	out.hooksOff(o, inv.Quiet)
	out.rebootHeld(o)
	if !inv.Quiet {
		if shown := inv.Verbose || o.NextBoot.Certainty == bootloader.Unknown && hasNewest(o); shown {
			out.line(cell{"next boot: ", bold}, cell{o.NextBootText(), plain})
		}
		out.line(cell{statusSummary(inv, o), bold})
	}
	return o.Status()
}

// hasNewest reports whether a kernel could be started.
func hasNewest(o hooks.Overview) bool {
	return slices.ContainsFunc(o.Kernels, func(k hooks.KernelView) bool { return k.Newest })
}

// printTroubles prints what could not be read.
func (p program) printTroubles(o hooks.Overview) {
	for _, trouble := range o.Troubles {
		hooks.Sayf(p.stderr, "%s", trouble)
	}
}

// statusSummary returns the last line of the status.
func statusSummary(inv hooks.Invocation, o hooks.Overview) string {
	modules := 0
	for _, k := range o.Kernels {
		modules += len(k.Modules)
	}
	switch {
	case len(o.Kernels) == 0 && len(o.Registered) == 0 && len(o.Findings) == 0:
		return "no kernels, and no module is registered with dkms"
	case len(o.Kernels) == 0 && len(o.Registered) > 0:
		return "no kernels; registered with dkms: " + strings.Join(o.Registered, ", ")
	case len(o.Findings) == 0 && len(o.Troubles) > 0:
		return fmt.Sprintf("kernels: %d, modules on them: %d; not all could be read", len(o.Kernels), modules)
	}
	text := fmt.Sprintf("kernels: %d, modules on them: %d, problems: %d", len(o.Kernels), modules, len(o.Findings))
	if len(o.Findings) > 1 {
		text += "; what to do about each: " + inv.Command("dkms-hooks check")
	}
	return text
}

// detail is how much of a kernel is printed.
type detail int

const (
	// summary is a line for each module about which there is something to say.
	summary detail = iota
	// attempts adds the last attempts for these modules and what to do next.
	attempts
	// everything adds all other modules.
	everything
)

// detailOf returns how much of a kernel is printed: everything if that was asked for, and more of
// the kernels that a person is most likely to boot.
func detailOf(o hooks.Overview, k hooks.KernelView, inv hooks.Invocation) detail {
	wrong := 0
	for _, other := range o.Kernels {
		if !other.Complete {
			wrong++
		}
	}
	switch {
	case inv.Verbose || inv.Kernel != "":
		return everything
	case k.Newest || k.BootsNext || k.Running || wrong == 1:
		return attempts
	}
	return summary
}

// kernel prints a kernel in a line, and its modules below it.
func (p *page) kernel(k hooks.KernelView, found []hooks.Finding, how detail) {
	all := how == everything
	var rows [][]cell
	wrong := func(m hooks.ModuleView) bool {
		return slices.ContainsFunc(found, func(f hooks.Finding) bool { return f.Module == m.Module+"/"+m.Version })
	}
	p.line(cell{string(k.Release), bold}, cell{"  " + strings.Join(kernelWords(k, all, wrong), ", "), plain})
	for _, m := range k.Modules {
		if !all && !m.Missing && !m.Unusual && !wrong(m) {
			continue
		}
		rows = append(rows, moduleRow(m, wrong(m)))
		if m.Last != nil && (m.Missing && how == attempts || all) {
			rows = append(rows, lastRows(*m.Last, failedRow(m))...)
		}
	}
	for _, f := range found {
		if f.Module == "" || !slices.ContainsFunc(k.Modules, func(m hooks.ModuleView) bool { return m.Module+"/"+m.Version == f.Module }) {
			rows = append(rows, []cell{{cmp.Or(f.Module, f.File, string(f.Kernel)), plain}, {string(f.Kind), bad}, {f.Reason, plain}})
		}
	}
	p.table("  ", rows)
	if k.Next != "" && how != summary {
		p.line(cell{"  next: ", bold}, cell{k.Next, plain})
	}
}

// findings prints findings in full.
func (p *page) findings(found []hooks.Finding) {
	for _, f := range found {
		p.finding(f, cell{"  next: ", bold})
	}
}

// finding prints a finding, and behind a label what to do about it.
func (p *page) finding(f hooks.Finding, label cell) {
	p.line(cell{string(f.Kind), bad}, cell{": ", plain}, cell{f.Where(), bold}, cell{": " + f.Reason, plain})
	p.line(label, cell{f.Fix, plain})
}

// hooksOff prints which hooks are switched off.
func (p *page) hooksOff(o hooks.Overview, quiet bool) {
	if quiet {
		return
	}
	for _, text := range o.HooksOff {
		p.line(cell{"hook off", faint}, cell{": " + text, plain})
	}
}

// rebootHeld prints whether a reboot is held, why, and what ends that.
func (p *page) rebootHeld(o hooks.Overview) {
	if o.RebootHeld != nil {
		p.line(cell{"reboot held", warn}, cell{": " + o.RebootHeld.String(), plain})
		p.line(cell{"  next: ", bold}, cell{o.RebootHeld.Release(), plain})
	}
}

// lastRows describes the last attempt for a module, of which the row of the module may have
// printed how it ended.
func lastRows(last hooks.Attempt, printed bool) [][]cell {
	how := bad
	if last.Result == dkmsstate.LastInstalled || last.Result == dkmsstate.LastSkipped {
		how = faint
	}
	text := fmt.Sprintf("    %s %s: %s", last.Result, last.When.Local().Format("2006-01-02 15:04"), last.Text)
	var rows [][]cell
	if !printed {
		rows = append(rows, []cell{{text, how}})
	}
	if last.Log != "" {
		rows = append(rows, []cell{{"    log: " + last.Log, faint}})
	}
	return rows
}

// failedRow reports whether the row of a module is about its last attempt, which failed.
func failedRow(m hooks.ModuleView) bool {
	return m.Missing && m.Last != nil && m.Last.Result == dkmsstate.LastFailed && m.Last.Text == m.Reason
}

func moduleRow(m hooks.ModuleView, wrong bool) []cell {
	state := string(m.State)
	if m.Freshness != "" {
		state += ", " + string(m.Freshness)
	}
	how := good
	switch {
	case m.Missing || wrong:
		how = bad
	case m.Freshness == dkmsstate.Unknown:
		how = warn
	case m.State != hooks.Installed:
		how = faint
	}
	reason := m.Reason
	if failedRow(m) {
		reason = fmt.Sprintf("failed %s: %s", m.Last.When.Local().Format(time.DateOnly), m.Reason)
	}
	return []cell{{m.Module + "/" + m.Version, plain}, {state, how}, {reason, plain}}
}

// kernelWords describes a kernel. Unless all modules are listed, the words include those about
// which there is nothing else to say.
func kernelWords(k hooks.KernelView, all bool, wrong func(hooks.ModuleView) bool) []string {
	var words []string
	add := func(holds bool, word string) {
		if holds {
			words = append(words, word)
		}
	}
	add(k.Running, "running")
	add(k.BootsNext, "boots next")
	add(k.Newest && !k.BootsNext, "newest")
	add(!k.Present, "not installed")
	add(k.Present && k.Headers == hooks.HeadersForeign, "headers of another build: "+k.HeadersReason)
	add(k.Present && k.Headers == hooks.HeadersPresent, "with headers")
	add(k.Present && k.Headers == hooks.HeadersMissing, "without headers")
	add(k.Active, "a run of dkms-hooks is active")
	if !all {
		installed := func(m hooks.ModuleView) bool { return m.State == hooks.Installed && !m.Missing && !wrong(m) }
		add(true, moduleWords(k, "installed", installed))
		unwanted := func(m hooks.ModuleView) bool {
			return k.Present && m.State != hooks.Installed && !m.Missing && !wrong(m)
		}
		add(slices.ContainsFunc(k.Modules, unwanted), moduleWords(k, "not wanted", unwanted))
	}
	return words
}

// moduleWords names the modules of a kernel that are as wanted, or their number if there are many.
func moduleWords(k hooks.KernelView, how string, wanted func(hooks.ModuleView) bool) string {
	const few = 3
	var names []string
	for _, m := range k.Modules {
		if wanted(m) {
			names = append(names, m.Module+"/"+m.Version)
		}
	}
	if n := len(names); n == 0 || n > few {
		return fmt.Sprintf("%s: %d", how, n)
	}
	return how + ": " + strings.Join(names, ", ")
}
