package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

func (p program) configCommand() *cli.Command {
	return &cli.Command{
		Name:      "config",
		Usage:     "print the configuration that is in force, or check a file",
		ArgsUsage: " ", // none
		Description: "Each field is printed after a comment that says where it was set. The output is a configuration file with\n" +
			"the same effect, except for Environment, whose values are not printed.\n\n" +
			"The exit status is 0 if there is no mistake, 1 if there is one, and 3 if a file cannot be read.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "check", Usage: "read only `FILE`, as if it were /etc/dkms-hooks.conf"},
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inv, err := p.noArguments(c)
			if err != nil {
				return err
			}
			return act(func(context.Context) int {
				if c.IsSet("check") {
					settings, err := hooks.ReadSettingsFile(c.String("check"))
					if err != nil {
						return p.failed(err)
					}
					return p.printConfig(c, inv, settings, false)
				}
				return p.printConfig(c, inv, hooks.ReadSettings(inv), hooks.RebootIsHeld(inv))
			})
		},
	}
}

// printConfig prints the configuration, with a comment if it holds a reboot, and on stderr what is
// wrong with it.
func (p program) printConfig(c *cli.Context, inv hooks.Invocation, s hooks.Settings, held bool) int {
	out := p.page(c)
	defer out.Flush()
	for _, field := range s.Fields() {
		if inv.Quiet || field.Value == "" {
			continue
		}
		from := "default"
		if len(field.From) > 0 {
			from = strings.Join(field.From, "; ")
		}
		if held && field.Name == "Hold-Reboot" {
			from += "; a reboot is held now: dkms-hooks status"
		}
		out.line(cell{"# " + from, faint})
		out.line(cell{field.Name + ":", bold}, cell{" " + field.Value, plain})
	}
	for _, mistake := range s.Mistakes {
		hooks.Sayf(p.stderr, "%s", mistake)
	}
	for _, text := range s.Unreadable {
		hooks.Sayf(p.stderr, "%s", text)
	}
	switch {
	case len(s.Mistakes) > 0:
		return hooks.StatusWrong
	case len(s.Unreadable) > 0:
		return hooks.StatusUnknown
	}
	return hooks.StatusOK
}
