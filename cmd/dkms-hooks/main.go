// Command dkms-hooks is for people: it runs the kernel hooks of DKMS by hand. Called by the
// name of a hook it is that hook, so that a package needs one program for all of them.
package main

import (
	"io"
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(start(os.Args, os.Environ(), os.Stdout, os.Stderr)) }

// start runs the hook or the command that this program is called as. The kernel knows the
// name of the file better than the caller, who may give any.
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
