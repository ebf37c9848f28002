package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/hooks"
)

// remindCommand is run at the end of each run of dpkg.
func (p program) remindCommand() *cli.Command {
	return &cli.Command{
		Name:  "remind",
		Usage: "print what is wrong on the running kernel and on those that may boot next (run at the end of dpkg)",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "summary", Usage: "print in one line how many problems there are on all kernels"},
			&cli.StringFlag{Name: "initramfs", Usage: "only read the initramfs of the kernel `RELEASE`"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "release", Usage: "only put back the request for a reboot that Hold-Reboot set aside (run before the package is removed)"},
		},
		ArgsUsage:    " ", // none
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			if c.IsSet("initramfs") {
				if inv.Kernel, err = dkmsstate.ParseRelease(c.String("initramfs")); err != nil {
					return err
				}
				return act(func(ctx context.Context) int { return p.readInitramfs(ctx, inv) })
			}
			return act(func(ctx context.Context) int {
				hooks.OutliveReaders()
				switch {
				case c.Bool("release"):
					return hooks.ReleaseReboot(ctx, inv, p.stderr)
				case c.Bool("summary"):
					return hooks.Summarize(ctx, inv, p.stderr)
				}
				return hooks.Remind(ctx, inv, p.stderr)
			})
		},
	}
}

func (p program) readInitramfs(ctx context.Context, inv hooks.Invocation) int {
	if err := hooks.ReadInitramfs(ctx, inv); err != nil {
		return p.failed(err)
	}
	return hooks.StatusOK
}
