package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

// originalsCommand is run when initramfs-tools makes an initramfs.
func (p program) originalsCommand() *cli.Command {
	return &cli.Command{
		Name:         "originals",
		Usage:        "list modules of a kernel in whose place modules of DKMS are installed (run when an initramfs is made)",
		ArgsUsage:    "KERNEL-RELEASE",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.optionalKernel(c)
			if err != nil {
				return err
			}
			if c.NArg() == 0 {
				return errors.New("originals needs a kernel release")
			}
			if code := hooks.PrintOriginals(inv, p.stdout, p.stderr); code != 0 {
				return status(code)
			}
			return nil
		},
	}
}
