package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"dkms-hooks/debpkg"
	"dkms-hooks/hooks"
)

// hookArguments name what run and explain take.
const hookArguments = "postinst|header_postinst|prerm|postrm KERNEL-RELEASE"

func paramsFlag() cli.Flag {
	return &cli.StringFlag{Name: "params", Usage: "the `ACTION` of the maintainer script, such as \"remove\" or \"upgrade 6.1-2\""}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: "dry-run", Usage: "print what would be done, and change nothing"}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: "force", Usage: "build modules even with headers that are not those of the kernel's image"}
}

func (p program) runCommand() *cli.Command {
	return &cli.Command{
		Name:         "run",
		Usage:        "run a hook for a kernel, or print what it would do",
		ArgsUsage:    hookArguments,
		Description:  "With --params, the action is carried out without asking dpkg. Without it, prerm deletes no build of a\nkernel that a package owns.",
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

func (p program) reconcileCommand() *cli.Command {
	return &cli.Command{
		Name:  "reconcile",
		Usage: "repair the installed modules of every kernel, and clean up after kernels that are gone",
		Flags: []cli.Flag{dryRunFlag(), &cli.BoolFlag{DisableDefaultText: true, Name: "failed",
			Usage: "only retry what failed, if other packages or another compiler are installed (run at the end of dpkg)"}},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			inv.FailedOnly = c.Bool("failed")
			return act(func(ctx context.Context) int {
				hooks.OutliveReaders()
				return hooks.Reconcile(ctx, inv, c.Bool("dry-run"), p.stderr)
			})
		},
	}
}

// remindCommand is called at the end of each run of dpkg.
func (p program) remindCommand() *cli.Command {
	return &cli.Command{
		Name:         "remind",
		Usage:        "print which modules are missing on the running and the newest kernel (run at the end of dpkg)",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int {
				hooks.OutliveReaders()
				return hooks.Remind(ctx, inv, p.stderr)
			})
		},
	}
}

func (p program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:         "version",
		Usage:        "print the version",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if _, err := p.noArguments(c); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "dkms-hooks %s\n", hooks.Version)
			return err
		},
	}
}

// hookInvocation is what the hook would be told, with the action from --params in the
// place of the one from the environment.
func (p program) hookInvocation(c *cli.Context) (hooks.Invocation, error) {
	inv, err := p.invocation(c)
	switch {
	case err != nil:
		return inv, err
	case c.NArg() == 0:
		return inv, errors.New(c.Command.Name + " needs a hook and a kernel release")
	}
	if inv.Hook, err = hooks.ParseHook(c.Args().First()); err != nil {
		return inv, err
	}
	if err := inv.TakeArguments(c.Args().Tail()); err != nil {
		return inv, err
	}
	if c.IsSet("params") {
		inv.Action, inv.ByHand = debpkg.ParseAction(c.String("params")), true
	}
	return inv, nil
}
