package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func paramsFlag() cli.Flag {
	return &cli.StringFlag{Name: "params", Usage: "the `ACTION` of the maintainer script, such as \"remove\" or \"upgrade 6.1-2\""}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: "dry-run", Usage: "print what would be done, and change nothing"}
}

// flagsFirst moves each flag to where urfave/cli looks for it, before the arguments: those of
// the program before the command, those of the command after it. Otherwise urfave/cli would
// take the flag of `run prerm KVER --dry-run` for an argument, and the run would be a real one.
func flagsFirst(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	var global, local, rest []string
	var command *cli.Command
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case command != nil && command.SkipFlagParsing:
			rest = append(rest, arg)
			continue
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
			continue
		case len(arg) < 2 || arg[0] != '-':
			if rest = append(rest, arg); command == nil {
				command = app.Command(arg)
			}
			continue
		}
		ours, to := app.Flags, &global
		if findFlag(app.Flags, arg) == nil && command != nil {
			ours, to = command.Flags, &local
		}
		*to = append(*to, arg)
		if !strings.Contains(arg, "=") && wantsValue(ours, arg) {
			if i++; i == len(args) {
				return nil, fmt.Errorf("%s needs an argument", arg)
			}
			*to = append(*to, args[i])
		}
	}
	out := append([]string{args[0]}, global...)
	if command == nil {
		return append(append(out, "--"), rest...), nil
	}
	out = append(append(out, rest[0]), local...)
	if !command.SkipFlagParsing {
		out = append(out, "--")
	}
	return append(out, rest[1:]...), nil
}

// findFlag returns the flag that an argument names, nil if there is none.
func findFlag(flags []cli.Flag, arg string) cli.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

// wantsValue reports whether the flag takes the next argument as its value.
func wantsValue(flags []cli.Flag, arg string) bool {
	f, ok := findFlag(flags, arg).(cli.DocGenerationFlag)
	return ok && f.TakesValue()
}
