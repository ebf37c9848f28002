package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a hook for a kernel, or print what it would do",
		ArgsUsage: hookArguments,
		Description: "With --params, the action is carried out without asking dpkg. Without it, prerm deletes no build of a\nkernel that a package owns.\n\n" +
			"By hand, the exit status is 1 if a module of the kernel is missing or failed, and 3 if the command needs root\n" +
			"or there is no such kernel. In a maintainer script it is 0, unless the configuration requires a module.",
		Flags:        []cli.Flag{paramsFlag(), dryRunFlag(), forceFlag()},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.hookInvocation(c)
			if err != nil {
				return err
			}
			if inv.Force = c.Bool("force"); inv.Force && inv.Hook != hooks.Postinst && inv.Hook != hooks.HeaderPostinst {
				return fmt.Errorf("--force applies to building modules, which %s does not do", inv.Hook)
			}
			inv.Person = inv.Script.Name == ""
			return act(func(ctx context.Context) int {
				hooks.OutliveReaders()
				if inv.Verbose {
					p.printEvidence(ctx, inv)
				}
				return hooks.Run(ctx, inv, c.Bool("dry-run"), p.stderr)
			})
		},
	}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: "force", Usage: "build modules even with headers that are not those of the kernel's image"}
}
