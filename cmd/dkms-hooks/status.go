package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/hooks"
)

func (p program) statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "list the modules of each kernel; exit 1 if one is missing",
		ArgsUsage: "[KERNEL-RELEASE]",
		Description: "A module is installed, damaged (an installed file is missing or is not the one that was built), built\n" +
			"(and not installed) or added (only registered with dkms). Its build is fresh (fits the kernel), stale (does\n" +
			"not fit) or unknown (neither can be shown).",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print JSON, as described in status.schema.json"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.optionalKernel(c)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int {
				o, err := hooks.ReadOverview(ctx, inv)
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
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(o); err != nil {
		return p.failed(err)
	}
	return exitStatus(o)
}

func exitStatus(o hooks.Overview) int {
	if o.Complete() {
		return 0
	}
	return 1
}

func (p program) printStatus(c *cli.Context, inv hooks.Invocation, o hooks.Overview) int {
	for _, trouble := range o.Troubles {
		fmt.Fprintf(p.stderr, "dkms-hooks: %s\n", trouble)
	}
	out := p.page(c)
	defer out.Flush()
	modules, missing := 0, 0
	for _, k := range o.Kernels {
		if !inv.Quiet || !k.Complete {
			out.kernel(k, inv.Verbose)
		}
		for _, m := range k.Modules {
			modules++
			if m.Missing {
				missing++
			}
		}
	}
	switch {
	case inv.Quiet:
	case len(o.Kernels) == 0 && len(o.Registered) == 0:
		fmt.Fprintln(out, "no kernels, and no module is registered with dkms")
	case len(o.Kernels) == 0:
		out.line(cell{"no kernels; registered with dkms: " + strings.Join(o.Registered, ", "), plain})
	default:
		out.line(cell{fmt.Sprintf("kernels: %d, modules on them: %d, missing: %d", len(o.Kernels), modules, missing), bold})
	}
	return exitStatus(o)
}

// kernel prints a kernel with its modules.
func (p *page) kernel(k hooks.KernelView, verbose bool) {
	p.line(cell{string(k.Release), bold}, cell{"  " + strings.Join(kernelWords(k), ", "), plain})
	var rows [][]cell
	for _, m := range k.Modules {
		rows = append(rows, moduleRow(m))
		if m.Last != nil && (m.Missing || verbose) {
			rows = append(rows, lastRows(*m.Last)...)
		}
	}
	if k.Depmod != "" {
		rows = append(rows, []cell{{"modules.dep", plain}, {"out of date", bad}, {k.Depmod, plain}})
	}
	p.table("  ", rows)
	if k.Next != "" {
		p.line(cell{"  next: ", bold}, cell{k.Next, plain})
	}
}

// lastRows describes the last attempt for a module.
func lastRows(last hooks.Attempt) [][]cell {
	how := bad
	if last.Result == dkmsstate.LastInstalled || last.Result == dkmsstate.LastSkipped {
		how = faint
	}
	text := fmt.Sprintf("    %s %s: %s", last.Result, last.When.Local().Format("2006-01-02 15:04"), last.Text)
	rows := [][]cell{{{text, how}}}
	if last.Log != "" {
		rows = append(rows, []cell{{"    log: " + last.Log, faint}})
	}
	return rows
}

func moduleRow(m hooks.ModuleView) []cell {
	state := string(m.State)
	if m.Freshness != "" {
		state += ", " + string(m.Freshness)
	}
	how := good
	switch {
	case m.Missing:
		how = bad
	case m.Freshness == dkmsstate.Unknown:
		how = warn
	case m.State != hooks.Installed:
		how = faint
	}
	return []cell{{m.Module + "/" + m.Version, plain}, {state, how}, {m.Reason, plain}}
}

func kernelWords(k hooks.KernelView) []string {
	var words []string
	add := func(holds bool, word string) {
		if holds {
			words = append(words, word)
		}
	}
	add(k.Running, "running")
	add(k.BootsNext, "boots next")
	add(!k.Present, "not installed")
	add(k.Present && k.Headers == hooks.HeadersForeign, "headers of another build: "+k.HeadersReason)
	add(k.Present && k.Headers == hooks.HeadersPresent, "with headers")
	add(k.Present && k.Headers == hooks.HeadersMissing, "without headers")
	add(k.Unfinished == dkmsstate.Initramfs, "initramfs not checked")
	add(k.Unfinished == dkmsstate.Interrupted || k.Unfinished == dkmsstate.Deferred, "work "+string(k.Unfinished))
	return words
}
