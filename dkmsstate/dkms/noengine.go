package dkms

import (
	"context"
	"fmt"
	"io"
	"os"

	"dkms-hooks/dkmsstate"
)

// NoEngine is the Engine for a root that is not the running system's. The dkms and depmod of
// this system must not be used on another one, and those in the root cannot be run from
// outside. What apply.Tree does by itself still works.
type NoEngine struct{ Root string }

func (n NoEngine) refuse(what string) error {
	return fmt.Errorf("cannot %s for the root %s from outside; run the hook inside it", what, n.Root)
}

// Build returns an error.
func (n NoEngine) Build(context.Context, dkmsstate.Module, dkmsstate.Release, string, io.Writer) error {
	return n.refuse("build")
}

// Install returns an error.
func (n NoEngine) Install(context.Context, dkmsstate.Module, dkmsstate.Release, string, io.Writer) error {
	return n.refuse("install")
}

// Unbuild returns an error. apply.Tree does the work.
func (n NoEngine) Unbuild(context.Context, dkmsstate.Module, dkmsstate.Release, string, io.Writer) error {
	return n.refuse("unbuild")
}

// Add returns an error.
func (n NoEngine) Add(context.Context, dkmsstate.Module) error { return n.refuse("add") }

// AskAutoinstall returns an error.
func (n NoEngine) AskAutoinstall(context.Context, string, dkmsstate.Module, dkmsstate.Release, string) (dkmsstate.Answer, error) {
	return dkmsstate.Answer{}, n.refuse("ask dkms")
}

// Depmod returns an error.
func (n NoEngine) Depmod(context.Context, dkmsstate.Release) error { return n.refuse("run depmod") }

// Initramfs returns an error.
func (n NoEngine) Initramfs(context.Context, dkmsstate.Release, io.Writer) error {
	return n.refuse("make an initramfs")
}

// AfterInitramfs returns an error.
func (n NoEngine) AfterInitramfs(context.Context, dkmsstate.Release, io.Writer) error {
	return n.refuse("run the hooks of an initramfs")
}

// PostTransaction returns an error.
func (n NoEngine) PostTransaction(context.Context, string) error {
	return n.refuse("run post_transaction")
}

// Compress returns an error.
func (n NoEngine) Compress(context.Context, string, string, *os.File) error {
	return n.refuse("compress")
}
