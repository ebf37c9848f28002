// Command postinst is the postinst.d hook of kernel packages for DKMS.
package main

import (
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(hooks.Main(hooks.Postinst, os.Args, os.Environ(), os.Stderr)) }
