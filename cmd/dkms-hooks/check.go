package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "find problems on all kernels; exit 1 if there are any",
		Description: "Each problem is printed with its fix. The kinds are:\n\n" +
			"   broken     cannot be used as it is\n" +
			"   missing    not installed, and dkms would install it\n" +
			"   forgotten  its package is installed, and it is not registered with dkms\n" +
			"   stale      does not fit its kernel\n" +
			"   unowned    belongs to no build and to no package\n" +
			"   gone       left of a kernel that is gone\n" +
			"   leftover   left by an interrupted program\n" +
			"   hook       a hook that does not run, or one of dkms that runs beside it\n\n" +
			"A file that was signed, stripped, recompressed or patched is reported as unusual, which is no problem.",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "repair", Usage: "register forgotten modules, build missing ones, and repair the rest"},
		},
		ArgsUsage:    " ", // none
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int { return p.check(ctx, c, inv) })
		},
	}
}

func (p program) check(ctx context.Context, c *cli.Context, inv hooks.Invocation) int {
	findings, examined, err := hooks.Check(ctx, inv)
	if err != nil {
		return p.failed(err)
	}
	repaired := c.Bool("repair") && len(findings) > 0
	if repaired {
		if code := hooks.Repair(ctx, inv, findings, p.stderr); code != 0 && ctx.Err() != nil {
			return code
		}
		if findings, examined, err = hooks.Check(ctx, inv); err != nil {
			return p.failed(err)
		}
	}
	for _, trouble := range examined.Troubles {
		fmt.Fprintf(p.stderr, "dkms-hooks: %s\n", trouble)
	}
	out := p.page(c)
	defer out.Flush()
	repairable := 0
	for _, f := range findings {
		out.line(cell{string(f.Kind), bad}, cell{": ", plain}, cell{f.Where, bold}, cell{": " + f.Text, plain})
		out.line(cell{"  fix: ", faint}, cell{f.Fix, plain})
		if f.Repairable {
			repairable++
		}
	}
	for _, text := range examined.Unusual {
		out.line(cell{"unusual", faint}, cell{": " + text, plain})
	}
	switch {
	case len(findings) > 0 && repaired:
		out.line(cell{fmt.Sprintf("problems left: %d", len(findings)), bold})
	case repairable > 0:
		out.line(cell{fmt.Sprintf("problems: %d; dkms-hooks check --repair can fix %d", len(findings), repairable), bold})
	case len(findings) > 0:
		out.line(cell{fmt.Sprintf("problems: %d", len(findings)), bold})
	case !inv.Quiet:
		out.line(cell{fmt.Sprintf("no problems found (kernels: %d, modules: %d)", examined.Kernels, examined.Modules), good})
	}
	if len(findings) > 0 {
		return 1
	}
	return 0
}
