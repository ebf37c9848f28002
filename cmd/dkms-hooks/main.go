// Command dkms-hooks is for people: it runs the kernel hooks of DKMS by hand.
package main

import "os"

func main() { os.Exit(run(os.Args, os.Environ(), os.Stdout, os.Stderr)) }
