// Command postrm is the postrm.d hook of kernel packages for DKMS.
package main

import (
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(hooks.Main(hooks.Postrm, os.Args, os.Environ(), os.Stderr)) }
