package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) reconcileCommand() *cli.Command {
	return &cli.Command{
		Name:        "reconcile",
		Usage:       "repair the installed modules of every kernel, and clean up after kernels that are gone",
		Description: "By hand, the exit status is 1 if a module failed, and 3 if the command needs root. In a maintainer script it is 0.",
		Flags: []cli.Flag{dryRunFlag(), &cli.BoolFlag{DisableDefaultText: true, Name: "failed",
			Usage: "only retry what failed, if other packages or another compiler are installed, or waited for headers that are there now (run at the end of dpkg)"}},
		ArgsUsage:    " ", // none
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			inv.Person = inv.Script.Name == ""
			inv.FailedOnly = c.Bool("failed")
			return act(func(ctx context.Context) int {
				hooks.OutliveReaders()
				return hooks.Reconcile(ctx, inv, c.Bool("dry-run"), p.stderr)
			})
		},
	}
}
