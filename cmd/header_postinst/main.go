// Command header_postinst is the header_postinst.d hook of kernel packages for DKMS.
package main

import (
	"os"

	"dkms-hooks/hooks"
)

func main() { os.Exit(hooks.Main(hooks.HeaderPostinst, os.Args, os.Environ(), os.Stderr)) }
