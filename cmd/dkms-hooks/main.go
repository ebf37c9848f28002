// Command dkms-hooks inspects and repairs the DKMS modules of installed kernels, and runs the
// kernel hooks of DKMS by hand. Run under the name of a hook, it is that hook, so that the
// package needs only one program.
package main

import (
	"io"
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(start(os.Args, os.Environ(), os.Stdout, os.Stderr)) }

// start runs the hook or the command that the program is run as. The kernel knows the name of
// the program's file, while the caller may pass any name in args.
func start(args, environ []string, stdout, stderr io.Writer) int {
	file, err := os.Executable()
	if err != nil { // without /proc
		file = args[0]
	}
	if hook, is := hooks.HookOf(file); is {
		return hooks.Main(hook, args, environ, stderr)
	}
	return runApp(args, environ, stdout, stderr)
}
