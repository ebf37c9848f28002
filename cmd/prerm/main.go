// Command prerm is the prerm.d hook of kernel packages for DKMS.
package main

import (
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(hooks.Main(hooks.Prerm, os.Args, os.Environ(), os.Stderr)) }
