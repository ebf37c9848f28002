package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/hooks"
)

func (p program) logCommand() *cli.Command {
	return &cli.Command{
		Name:        "log",
		Usage:       "list the logs of the last builds, or print those of a module",
		ArgsUsage:   "[KERNEL-RELEASE] [MODULE]",
		Description: "MODULE is a name, such as v4l2loopback, or a name and a version, such as v4l2loopback/0.13.2.",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "follow", Aliases: []string{"f"}, Usage: "print the output of the running builds until they end"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, module, err := p.logArguments(c)
			if err != nil {
				return err
			}
			if c.Bool("follow") && module != "" {
				return errors.New("--follow prints every module that is being built, and takes no module")
			}
			return act(func(ctx context.Context) int {
				if c.Bool("follow") {
					return p.follow(ctx, inv)
				}
				return p.logs(c, inv, module)
			})
		},
	}
}

// logArguments parses a kernel release, a module, or both in this order. A single argument is a
// kernel release if such a kernel is known, otherwise a module: the name of a module may look
// like a kernel release.
func (p program) logArguments(c *cli.Context) (hooks.Invocation, string, error) {
	inv, err := p.invocation(c)
	if err != nil {
		return inv, "", err
	}
	args := c.Args().Slice()
	if len(args) > 2 {
		return inv, "", fmt.Errorf("%s takes a kernel release and a module, not %d arguments", c.Command.Name, len(args))
	}
	if len(args) == 0 {
		return inv, "", nil
	}
	kernel, err := dkmsstate.ParseRelease(args[0])
	if len(args) == 2 {
		inv.Kernel = kernel
		return inv, args[1], err
	}
	if err != nil || !hooks.Known(inv, kernel) {
		return inv, args[0], nil
	}
	inv.Kernel = kernel
	return inv, "", nil
}

func (p program) logs(c *cli.Context, inv hooks.Invocation, module string) int {
	logs, err := hooks.Logs(inv, module)
	if err != nil {
		return p.failed(err)
	}
	if len(logs) == 0 && module == "" && inv.Kernel == "" {
		fmt.Fprintln(p.stdout, "no logs")
		return 0
	}
	if len(logs) == 0 {
		what := "of any build"
		if module != "" {
			what = "of " + module
		}
		if inv.Kernel != "" {
			what += " for " + string(inv.Kernel)
		}
		return p.failed(fmt.Errorf("there is no log %s; %s lists them all", what, inv.Command("dkms-hooks log")))
	}
	if module != "" {
		return p.printLogs(logs)
	}
	out := p.page(c)
	defer out.Flush()
	var rows [][]cell
	for _, l := range logs {
		how := plain
		switch l.Result {
		case dkmsstate.LastFailed:
			how = bad
		case dkmsstate.LastInstalled:
			how = good
		}
		rows = append(rows, []cell{{string(l.Kernel), plain}, {l.Name, plain}, {string(l.Result), how}, {l.When.Format(time.DateTime), faint}, {l.Path, plain}})
	}
	out.table("", rows)
	return 0
}

func (p program) printLogs(logs []hooks.LogFile) int {
	for i, l := range logs {
		if len(logs) > 1 {
			fmt.Fprintf(p.stdout, "==> %s <==\n", hooks.WithoutControls(l.Path))
		}
		file, err := regular.OpenNoFollow(l.Path)
		if err != nil {
			return p.failed(err)
		}
		_, err = io.Copy(p.stdout, file)
		file.Close()
		if err != nil {
			return p.failed(err)
		}
		if i < len(logs)-1 {
			fmt.Fprintln(p.stdout)
		}
	}
	return 0
}

func (p program) follow(ctx context.Context, inv hooks.Invocation) int {
	err := hooks.Follow(ctx, inv, p.stdout)
	if errors.Is(err, record.ErrIdle) {
		hooks.Sayf(p.stderr, "%v; %s lists what was built", err, inv.Command("dkms-hooks log"))
		return 0
	}
	if err != nil {
		return p.failed(err)
	}
	return 0
}
