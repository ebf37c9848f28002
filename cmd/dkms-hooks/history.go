package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) historyCommand() *cli.Command {
	return &cli.Command{
		Name:      "history",
		Usage:     "list what was decided and done, the oldest first, and who caused it",
		ArgsUsage: "[KERNEL-RELEASE] [MODULE]",
		Description: "Each line is a verdict about a kernel (keep, autoinstall, unbuild, defer) or what was done with a module.\n" +
			"The oldest lines are dropped when the history has some thousand.",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, module, err := p.logArguments(c)
			if err != nil {
				return err
			}
			return act(func(context.Context) int { return p.history(c, inv, module) })
		},
	}
}

func (p program) history(c *cli.Context, inv hooks.Invocation, module string) int {
	events, err := hooks.History(inv, module)
	out := p.page(c)
	defer out.Flush()
	var rows [][]cell
	for _, e := range events {
		how := plain
		if e.Did == "failed" {
			how = bad
		}
		about := e.Did
		if e.Module != "" {
			about = e.Module + " " + e.Did
		}
		rows = append(rows, []cell{{e.When.Local().Format(time.DateTime), faint}, {string(e.Kernel), plain}, {about, how}, {e.Caller(), plain}, {e.Text, faint}})
	}
	out.table("", rows)
	if err != nil {
		return p.failed(err)
	}
	if len(rows) == 0 && !inv.Quiet {
		out.line(cell{"no history", plain})
	}
	return hooks.StatusOK
}
