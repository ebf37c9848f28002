package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"dkms-hooks/debpkg"
	"dkms-hooks/hooks"
)

func runCommand(environ []string, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "do what a hook does for a kernel, or say what it would do",
		ArgsUsage: "postinst|header_postinst|prerm|postrm KERNEL-RELEASE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "params", Usage: "the maintainer script's `ACTION`, such as \"remove\" or \"upgrade 6.1-2\""},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be done and change nothing"},
		},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			inv, err := invocation(c, environ)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int { return hooks.Run(ctx, inv, c.Bool("dry-run"), stderr) })
		},
	}
}

func reconcileCommand(environ []string, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "reconcile",
		Usage: "give every kernel the modules that it should have, and clean up after those that are gone",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be done and change nothing"},
		},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			inv, err := argumentless(c, environ)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int { return hooks.Reconcile(ctx, inv, c.Bool("dry-run"), stderr) })
		},
	}
}

func statusCommand(environ []string, stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "status",
		Usage:        "show how the modules are on each kernel; exit 1 when one that is wanted is missing",
		ArgsUsage:    "[KERNEL-RELEASE]",
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			inv, err := hooks.ParseSurroundings(environ)
			if err != nil {
				return err
			}
			if c.NArg() > 1 {
				return fmt.Errorf("status takes one kernel release, and there are %d arguments", c.NArg())
			}
			if c.NArg() == 1 {
				if inv, err = hooks.ParseInvocation(hooks.Postinst, c.Args().Slice(), environ); err != nil {
					return err
				}
			}
			return act(func(ctx context.Context) int { return hooks.Status(ctx, inv, stdout, stderr) })
		},
	}
}

func checkCommand(environ []string, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "name the modules that dkms has forgotten; exit 1 when there are any",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "repair", Usage: "register them with dkms again and build them"},
		},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			inv, err := argumentless(c, environ)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int { return hooks.Check(ctx, inv, c.Bool("repair"), stderr) })
		},
	}
}

// remindCommand is called at the end of each run of dpkg.
func remindCommand(environ []string, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "remind",
		Usage:        "say what the next boot would miss",
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			inv, err := argumentless(c, environ)
			if err != nil {
				return err
			}
			return act(func(ctx context.Context) int { return hooks.Remind(ctx, inv, stderr) })
		},
	}
}

// argumentless reads the surroundings of a command that takes no argument.
func argumentless(c *cli.Context, environ []string) (hooks.Invocation, error) {
	if c.NArg() > 0 {
		return hooks.Invocation{}, fmt.Errorf("%s takes no argument, and %q is one", c.Command.Name, c.Args().First())
	}
	return hooks.ParseSurroundings(environ)
}

// invocation is what the hook would be told, with the action from --params in
// the place of the one from the environment.
func invocation(c *cli.Context, environ []string) (hooks.Invocation, error) {
	if c.NArg() == 0 {
		return hooks.Invocation{}, errors.New("run needs a hook and a kernel release")
	}
	hook, err := hooks.ParseHook(c.Args().First())
	if err != nil {
		return hooks.Invocation{}, err
	}
	inv, err := hooks.ParseInvocation(hook, c.Args().Tail(), environ)
	if err != nil {
		return hooks.Invocation{}, err
	}
	if c.IsSet("params") {
		inv.Action, inv.ByHand = debpkg.ParseAction(c.String("params")), true
	}
	return inv, nil
}
