package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:         "version",
		Usage:        "print the version",
		ArgsUsage:    " ", // none
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
