// Command dkms-hooks inspects and repairs the DKMS modules of installed kernels, and runs the
// kernel hooks of DKMS by hand. The hooks of the package are scripts that run it, so that the
// package needs only one program.
package main

import (
	"io"
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(start(os.Args, os.Environ(), os.Stdout, os.Stderr)) }

// start runs the hook or the command that the arguments name.
func start(args, environ []string, stdout, stderr io.Writer) int {
	if hook, args, is := hooks.HookOf(args); is {
		return hooks.Main(hook, args, environ, stderr)
	}
	return runApp(args, environ, stdout, stderr)
}
