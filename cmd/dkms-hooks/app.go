package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"dkms-hooks/hooks"
)

// usageStatus is the exit status for a call that cannot be understood.
const usageStatus = 2

// status carries an exit status through urfave/cli.
type status int

// Error is never shown; the hook has said what there is to say.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run is the program: it returns the exit status.
func run(args, environ []string, stdout, stderr io.Writer) int {
	app := &cli.App{
		Name:            "dkms-hooks",
		Usage:           "run the kernel hooks of DKMS by hand",
		Version:         hooks.Version,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return err },
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fmt.Errorf("there is no command %q", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			runCommand(environ, stderr), reconcileCommand(environ, stderr), statusCommand(environ, stdout, stderr),
			checkCommand(environ, stderr), remindCommand(environ, stderr),
		},
	}
	err := app.Run(flagsFirst(args))
	var s status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	}
	fmt.Fprintf(stderr, "dkms-hooks: %v\n", err)
	fmt.Fprintln(stderr, "dkms-hooks: see dkms-hooks --help")
	return usageStatus
}

// act does the work of a command; a signal ends it in order.
func act(do func(ctx context.Context) int) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	hooks.Prepare()
	if code := do(ctx); code != 0 {
		return status(code)
	}
	return nil
}

// flagsFirst puts the flags of run before its arguments, where urfave/cli looks
// for them, so that `run prerm KVER --dry-run` is not taken for a real run.
func flagsFirst(args []string) []string {
	if len(args) < 3 || args[1] != "run" {
		return args
	}
	flags, rest := args[:2:2], []string{}
	for i := 2; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case (arg == "--params" || arg == "-params") && i+1 < len(args):
			flags = append(flags, arg, args[i+1])
			i++
		case len(arg) > 1 && arg[0] == '-':
			flags = append(flags, arg)
		default:
			rest = append(rest, arg)
		}
	}
	return append(append(flags, "--"), rest...)
}
