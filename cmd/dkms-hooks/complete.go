package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

// completeCommand prints what the last word of a command line may be, a line each, for the
// completion of shells: `dkms-hooks complete -- run prerm ""`.
func (p program) completeCommand() *cli.Command {
	return &cli.Command{
		Name:            "complete",
		Usage:           "print completions for a shell",
		Hidden:          true,
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) > 0 && words[0] == "--" {
				words = words[1:]
			}
			if len(words) == 0 {
				return nil
			}
			last := words[len(words)-1]
			for _, candidate := range p.candidates(c, words[:len(words)-1], strings.HasPrefix(last, "-")) {
				if strings.HasPrefix(candidate, last) {
					fmt.Fprintln(p.stdout, hooks.WithoutControls(candidate))
				}
			}
			return nil
		},
	}
}

// candidates returns what may follow words: flags, or the next argument.
func (p program) candidates(c *cli.Context, words []string, flags bool) []string {
	var command *cli.Command
	var args []string
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case strings.HasPrefix(word, "-"):
			known := c.App.Flags
			if command != nil {
				known = append(slices.Clone(known), command.Flags...)
			}
			if !strings.Contains(word, "=") && wantsValue(known, word) {
				if i++; i == len(words) {
					return p.valuesOf(word)
				}
			}
		case command == nil:
			if command = c.App.Command(word); command == nil {
				return nil
			}
		default:
			args = append(args, word)
		}
	}
	switch {
	case flags:
		return flagNames(c.App, command)
	case command == nil:
		return commandNames(c.App)
	}
	return p.arguments(command.Name, args)
}

func (p program) valuesOf(flag string) []string {
	switch strings.TrimLeft(flag, "-") {
	case "params":
		return []string{"remove", "upgrade", "configure", "deconfigure", "abort-remove", "abort-upgrade"}
	case "package":
		if inv, err := hooks.ParseSurroundings(p.environ); err == nil {
			return hooks.KernelPackages(inv)
		}
	}
	return nil // directories are completed by the shell
}

func flagNames(app *cli.App, command *cli.Command) []string {
	flags := app.Flags
	if command != nil {
		flags = append(slices.Clone(flags), command.Flags...)
	}
	names := []string{"--help"}
	for _, f := range flags {
		names = append(names, "--"+f.Names()[0])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// arguments returns the possible values of a command's next argument.
func (p program) arguments(command string, args []string) []string {
	inv, err := hooks.ParseSurroundings(p.environ)
	if err != nil {
		return nil
	}
	switch all := hookNames(); {
	case command == "run" && len(args) == 0:
		return all
	case command == "explain" && len(args) == 0:
		return append(all, hooks.KernelNames(inv)...)
	case command == "explain" && len(args) == 1 && !slices.Contains(all, args[0]):
		return hooks.ModuleNames(inv)
	case (command == "run" || command == "explain") && len(args) == 1, command == "status" && len(args) == 0:
		return hooks.KernelNames(inv)
	case (command == "log" || command == "history") && len(args) == 0:
		return append(hooks.KernelNames(inv), hooks.ModuleNames(inv)...)
	case (command == "log" || command == "history") && len(args) == 1:
		return hooks.ModuleNames(inv)
	}
	return nil
}

func hookNames() []string {
	return []string{string(hooks.Postinst), string(hooks.HeaderPostinst), string(hooks.Prerm), string(hooks.Postrm)}
}
