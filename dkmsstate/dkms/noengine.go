package dkms

import (
	"context"
	"fmt"
	"io"
	"os"

	"dkms-hooks/dkmsstate"
)

// NoEngine is the Engine for a root that is not the running system's: dkms and
// depmod of this system must not be let loose on another, and that one's own
// cannot be run from outside. What the Tree can do alone still works.
type NoEngine struct{ Root string }

func (n NoEngine) refuse(what string) error {
	return fmt.Errorf("cannot %s for the root %s from outside; run the hook inside it", what, n.Root)
}

// Build is refused.
func (n NoEngine) Build(context.Context, dkmsstate.Module, dkmsstate.Release, string, io.Writer) error {
	return n.refuse("build")
}

// Install is refused.
func (n NoEngine) Install(context.Context, dkmsstate.Module, dkmsstate.Release, string, io.Writer) error {
	return n.refuse("install")
}

// Unbuild is refused; the Tree does it.
func (n NoEngine) Unbuild(context.Context, dkmsstate.Module, dkmsstate.Release, string) error {
	return n.refuse("unbuild")
}

// Add is refused.
func (n NoEngine) Add(context.Context, dkmsstate.Module) error { return n.refuse("add") }

// AskAutoinstall is refused.
func (n NoEngine) AskAutoinstall(context.Context, string, dkmsstate.Module, dkmsstate.Release, string) (dkmsstate.Answer, error) {
	return dkmsstate.Answer{}, n.refuse("ask dkms")
}

// Depmod is refused.
func (n NoEngine) Depmod(context.Context, dkmsstate.Release) error { return n.refuse("run depmod") }

// Initramfs is refused.
func (n NoEngine) Initramfs(context.Context, dkmsstate.Release) error {
	return n.refuse("make an initramfs")
}

// InitramfsHolds is refused.
func (n NoEngine) InitramfsHolds(context.Context, dkmsstate.Release, []string) (bool, error) {
	return false, n.refuse("look into an initramfs")
}

// Compress is refused.
func (n NoEngine) Compress(context.Context, string, string, *os.File) error {
	return n.refuse("compress")
}
