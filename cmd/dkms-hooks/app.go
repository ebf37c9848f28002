package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/hooks"
)

// status is an exit status. It is an error so that urfave/cli passes it on.
type status int

// Error is never printed: the command has printed what there is to say.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// program is one run of dkms-hooks.
type program struct {
	environ []string
	// stdout and stderr are for people, or for programs that read one of the forms of a page. A page
	// is printed to output, which is stdout as well.
	stdout, stderr *hooks.Printable
	output         *output
}

// newProgram returns a run with its environment and where it prints.
func newProgram(environ []string, stdout, stderr io.Writer) program {
	out := &output{Writer: stdout}
	return program{environ, hooks.ForPeople(out), hooks.ForPeople(stderr), out}
}

// runApp runs the program and returns its exit status.
func runApp(args, environ []string, stdout, stderr io.Writer) int {
	p := newProgram(environ, stdout, stderr)
	app := p.app()
	args, err := flagsFirst(app, args)
	if err == nil {
		err = app.Run(args)
	}
	var s status
	isStatus := errors.As(err, &s)
	switch {
	case p.output.err != nil && s != hooks.StatusUnknown: // else it is printed already
		return p.failed(p.output.err)
	case err == nil:
		return 0
	case isStatus:
		return int(s)
	}
	hooks.Sayf(p.stderr, "%v", err)
	hooks.Sayf(p.stderr, "see dkms-hooks --help")
	return hooks.StatusUsage
}

func (p program) app() *cli.App {
	return &cli.App{
		Name:            "dkms-hooks",
		Usage:           "inspect and repair DKMS modules of installed kernels",
		UsageText:       "dkms-hooks [OPTION...] COMMAND [ARGUMENT...]",
		Description:     examples,
		Version:         hooks.Version,
		HideHelpCommand: true,
		Writer:          p.stdout,
		ErrWriter:       p.stderr,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "root", Usage: "work on the system in `DIR`: a chroot, or an image that is being built"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "quiet", Aliases: []string{"q"}, Usage: "print only problems"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "verbose", Usage: "also print what is in order, and why"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "no-color", Usage: "do not use colours on a terminal (same as NO_COLOR)"},
			cli.HelpFlag, // urfave/cli adds it only where no command is called help
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return unknownCommand(c.App, c.Args().First())
			}
			if len(c.FlagNames()) > 0 {
				return errors.New("no command is given")
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			p.statusCommand(), p.explainCommand(), p.runCommand(), p.checkCommand(), p.reconcileCommand(),
			p.logCommand(), p.historyCommand(), p.configCommand(), p.remindCommand(), p.originalsCommand(), p.versionCommand(), p.helpCommand(), p.completeCommand(),
		},
	}
}

// examples is the text in the help.
const examples = `A kernel release is the output of uname -r. The commands status, explain, log and check (without
--repair), and every command with --dry-run, change nothing.

   dkms-hooks status                                  list the modules of each kernel
   dkms-hooks explain prerm 6.12.1 --params remove    print what removing a kernel would do, and why
   dkms-hooks run postinst 6.12.1                     build and install the missing modules of a kernel
   dkms-hooks check --repair                          find problems and repair them
   dkms-hooks log 6.12.1 v4l2loopback                 print why a module did not compile`

// usageError rewords the errors of package flag.
func usageError(c *cli.Context, err error, _ bool) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		option := "--" + strings.TrimPrefix(name, "-")
		return fmt.Errorf("unknown option %s%s", option, didYouMean(option, flagNames(c.App, c.Command)))
	}
	return err
}

func commandNames(app *cli.App) []string {
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Name)
	}
	return names
}

// act runs a command with a context that ends with the first signal. It returns the exit status
// as an error.
func act(do func(ctx context.Context) int) error {
	ctx, stop := hooks.UntilSignal()
	defer stop()
	hooks.Prepare()
	if code := do(ctx); code != 0 {
		return status(code)
	}
	return nil
}

// failed prints an error, and returns the exit status for what cannot be determined or done.
func (p program) failed(err error) int {
	hooks.Sayf(p.stderr, "failed: %v", err)
	return hooks.StatusUnknown
}

// invocation parses the environment and the global options.
func (p program) invocation(c *cli.Context) (hooks.Invocation, error) {
	environ := p.environ
	if dir := c.String("root"); c.IsSet("root") {
		root, err := filepath.Abs(dir)
		if err != nil {
			return hooks.Invocation{}, fmt.Errorf("cannot use --root %q: %w", dir, err)
		}
		if info, err := os.Stat(root); err != nil || !info.IsDir() || dir == "" {
			return hooks.Invocation{}, fmt.Errorf("cannot use --root %q: not a directory", dir)
		}
		if !hasSystem(root) {
			return hooks.Invocation{}, fmt.Errorf("cannot use --root %q: it contains no system", dir)
		}
		environ = append(environ[:len(environ):len(environ)], "DPKG_ROOT="+root, "DPKG_ADMINDIR=")
	}
	inv, err := hooks.ParseSurroundings(environ)
	inv.Quiet, inv.Verbose = c.Bool("quiet"), c.Bool("verbose")
	if err == nil && inv.Quiet && inv.Verbose {
		err = errors.New("--quiet and --verbose cannot be used together")
	}
	return inv, err
}

// hasSystem reports whether a directory contains a system, or kernels or modules of one.
func hasSystem(root string) bool {
	return slices.ContainsFunc([]string{"var/lib/dpkg", "var/lib/dkms", "lib/modules", "usr/lib/modules", "etc/os-release", "usr/lib/os-release"},
		func(name string) bool { return dkmsstate.Exists(filepath.Join(root, name)) })
}

// optionalKernel parses the call of a command that takes at most one kernel release.
func (p program) optionalKernel(c *cli.Context) (hooks.Invocation, error) {
	inv, err := p.invocation(c)
	switch {
	case err != nil:
		return inv, err
	case c.NArg() > 1:
		return inv, fmt.Errorf("%s takes one kernel release, not %d arguments", c.Command.Name, c.NArg())
	case c.NArg() == 1:
		inv.Kernel, err = dkmsstate.ParseRelease(c.Args().First())
	}
	return inv, err
}

// noArguments parses the call of a command that takes no arguments.
func (p program) noArguments(c *cli.Context) (hooks.Invocation, error) {
	if c.NArg() > 0 {
		return hooks.Invocation{}, fmt.Errorf("unexpected argument %[2]q: %[1]s takes none", c.Command.Name, c.Args().First())
	}
	return p.invocation(c)
}

// hookArguments describes the arguments of run and explain.
const hookArguments = "postinst|header_postinst|prerm|postrm KERNEL-RELEASE"

// hookInvocation parses the call of run or explain: a hook and its arguments. --params takes
// the place of the action from the environment.
func (p program) hookInvocation(c *cli.Context) (hooks.Invocation, error) {
	inv, err := p.invocation(c)
	switch {
	case err != nil:
		return inv, err
	case c.NArg() == 0:
		return inv, errors.New(c.Command.Name + " needs a hook and a kernel release")
	}
	if inv.Hook, err = hooks.ParseHook(c.Args().First()); err != nil {
		return inv, err
	}
	if err := inv.TakeArguments(c.Args().Tail()); err != nil {
		return inv, err
	}
	if c.IsSet("params") {
		inv.Action, inv.ByHand = debpkg.ParseAction(c.String("params")), true
	}
	return inv, nil
}
