package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/hooks"
)

func (p program) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "print what a hook would do now, or why a module is on a kernel or not; change nothing",
		ArgsUsage: hookArguments + " | KERNEL-RELEASE MODULE",
		Description: "With --package, the hook is treated as if the maintainer script of that package called it; without, as\n" +
			"if it were run by hand.\n\n" +
			"   dkms-hooks explain prerm 6.12.1 --package linux-image-6.12.1 --params remove\n" +
			"   dkms-hooks explain postinst 6.12.1\n\n" +
			"With a kernel release and a module, the facts are printed that have to be in order one after the other, and\n" +
			"what was done with the module:\n\n" +
			"   dkms-hooks explain 6.12.1 v4l2loopback",
		Flags: []cli.Flag{
			paramsFlag(),
			&cli.StringFlag{Name: "package", Usage: "the `PACKAGE` whose maintainer script calls the hook, NAME or NAME:ARCH"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if _, err := hooks.ParseHook(c.Args().First()); err != nil && c.NArg() == 2 {
				return p.explainModuleAction(c)
			}
			inv, err := p.hookInvocation(c)
			if err != nil {
				return err
			}
			if c.IsSet("package") {
				script, usual := inv.Hook.Script()
				name, arch, _ := strings.Cut(c.String("package"), ":")
				inv.Script, inv.ByHand = hooks.Script{Name: script, Package: name, Arch: arch}, false
				if !c.IsSet("params") {
					inv.Action = usual
				}
			}
			return act(func(ctx context.Context) int { return p.explain(ctx, c, inv) })
		},
	}
}

func (p program) explain(ctx context.Context, c *cli.Context, inv hooks.Invocation) int {
	e, err := hooks.Explain(ctx, inv)
	if err != nil {
		return p.failed(err)
	}
	out := p.page(c)
	defer out.Flush()
	if !inv.Quiet {
		out.evidence(e.Troubles, e.Evidence)
		var rows [][]cell
		for _, m := range e.Kernel.Modules {
			rows = append(rows, moduleRow(m, m.Missing))
		}
		out.table("            ", rows)
		out.line()
	}
	out.decision(e.Decision)
	out.steps(e.Steps)
	if e.Removed != nil {
		out.line()
		out.line(cell{"once dpkg removes " + inv.Script.Package, bold}, cell{": " + string(e.Removed.Verdict) + ": " + e.Removed.Reason, plain})
		out.steps(e.RemovedSteps)
	}
	for _, note := range e.Notes {
		out.line(cell{note, warn})
	}
	return 0
}

// explainModuleAction parses the call of explain for a kernel release and a module.
func (p program) explainModuleAction(c *cli.Context) error {
	inv, err := p.invocation(c)
	if err != nil {
		return err
	}
	if inv.Kernel, err = dkmsstate.ParseRelease(c.Args().First()); err != nil {
		return fmt.Errorf("%w; it is no hook either: the hooks are %s", err, strings.Split(hookArguments, " ")[0])
	}
	if c.IsSet("package") || c.IsSet("params") {
		return errors.New("--package and --params are for a hook, and not for a module")
	}
	return act(func(ctx context.Context) int { return p.explainModule(ctx, c, inv, c.Args().Get(1)) })
}

func (p program) explainModule(ctx context.Context, c *cli.Context, inv hooks.Invocation, module string) int {
	e, err := hooks.ExplainModule(ctx, inv, module)
	if err != nil {
		return p.failed(err)
	}
	out := p.page(c)
	defer out.Flush()
	if inv.Quiet {
		out.evidence(e.Troubles, nil)
	} else {
		out.evidence(e.Troubles, e.Links)
		out.line()
	}
	out.findings(e.Findings)
	if len(e.Findings) == 0 {
		text := string(e.State)
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		out.line(cell{text, good})
	}
	return hooks.StatusOK
}

// printEvidence prints on stderr what the decision of run is based on.
func (p program) printEvidence(ctx context.Context, inv hooks.Invocation) {
	e, err := hooks.Explain(ctx, inv)
	if err != nil {
		return // the run prints the error
	}
	for _, w := range e.Evidence {
		hooks.Sayf(p.stderr, "%s: %s", w.Name, w.Text)
	}
}

// evidence prints what could not be read, and facts in a table.
func (p *page) evidence(troubles []string, facts []hooks.Evidence) {
	for _, trouble := range troubles {
		p.line(cell{trouble, bad})
	}
	var rows [][]cell
	for _, w := range facts {
		rows = append(rows, []cell{{w.Name, bold}, {w.Text, plain}})
	}
	p.table("", rows)
}

func (p *page) steps(steps []string) {
	if len(steps) == 0 {
		p.line(cell{"nothing to do", plain})
	}
	for i, step := range steps {
		p.line(cell{fmt.Sprintf("%3d. ", i+1), faint}, cell{step, plain})
	}
}

func (p *page) decision(d hooks.Decision) {
	how := good
	if d.Verdict == hooks.Unbuild {
		how = warn
	}
	p.line(cell{string(d.Verdict), how}, cell{": " + d.Reason, plain})
	if d.Hint != "" {
		p.line(cell{d.Hint, faint})
	}
}
