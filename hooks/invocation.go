package hooks

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Invocation is how a hook was called: its arguments, and what the environment says about the
// maintainer script behind the call.
type Invocation struct {
	Hook   Hook
	Kernel dkmsstate.Release
	// Action is what the maintainer script was called with, from DEB_MAINT_PARAMS.
	Action debpkg.Action
	// ByHand reports whether a person gave the action (--params).
	ByHand bool
	// Force reports whether modules are built even with headers that are not those of the
	// kernel's image (--force).
	Force bool
	// Script is the maintainer script that runs the hook. It is empty if none is running, as
	// when a person or kernel-install(8) runs the hook.
	Script Script
	// Quiet reports whether only problems are printed. Verbose reports whether what is in order
	// is printed, too.
	Quiet, Verbose bool
	// Person reports whether a person runs dkms-hooks and reads its exit status, and not a
	// maintainer script or a hook's caller, for whom a module that failed is no failure.
	Person bool
	// BringIn reports whether a reconcile brings in what is missing on every kernel.
	BringIn bool
	// SecureBoot is whether the machine that the root is for has Secure Boot on.
	SecureBoot SecureBoot
	// FailedOnly reports whether a reconcile only retries what failed, if other packages or
	// another compiler have been installed since, and what waited for headers that have come.
	FailedOnly bool
	// Root is the root directory, DPKG_ROOT. AdminDir is the directory of dpkg's database,
	// DPKG_ADMINDIR.
	Root, AdminDir string
	// Environ is the environment, for the programs that the hook runs.
	Environ []string
	// dpkg is the database in AdminDir. Copies of the Invocation share it.
	dpkg *database
}

// Script is the maintainer script that is running, as dpkg exports it.
type Script struct {
	// Name is prerm, postinst and so on. Package and Arch are those of its package.
	Name, Package, Arch string
}

// ParseInvocation parses the arguments of a hook, without the program's name, and its
// environment. It checks the kernel release. Some callers pass the path of the image as a
// second argument; it is not used. No kernel package fails because of further ones, which the hooks
// of dkms do not look at either.
func ParseInvocation(hook Hook, args, environ []string) (Invocation, error) {
	inv := Invocation{Hook: hook}
	err := inv.readEnvironment(environ)
	if inv.Script.Name != "" {
		args = args[:min(len(args), 2)]
	}
	return inv, cmp.Or(inv.TakeArguments(args), err)
}

// TakeArguments parses the arguments of a hook.
func (inv *Invocation) TakeArguments(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("the kernel release is missing")
	case len(args) > 2:
		return fmt.Errorf("%d arguments given; a hook takes the kernel release and the image", len(args))
	}
	kernel, err := dkmsstate.ParseRelease(args[0])
	inv.Kernel = kernel
	return err
}

// ParseSurroundings parses the environment only, for commands about every kernel.
func ParseSurroundings(environ []string) (Invocation, error) {
	var inv Invocation
	err := inv.readEnvironment(environ)
	return inv, err
}

func (inv *Invocation) readEnvironment(environ []string) error {
	env := environment(environ)
	inv.Environ = environ
	inv.Action = debpkg.ParseAction(env["DEB_MAINT_PARAMS"])
	inv.Script = Script{
		Name:    env["DPKG_MAINTSCRIPT_NAME"],
		Package: env["DPKG_MAINTSCRIPT_PACKAGE"],
		Arch:    env["DPKG_MAINTSCRIPT_ARCH"],
	}
	return inv.setRoot(env["DPKG_ROOT"], env["DPKG_ADMINDIR"])
}

// setRoot sets the root and the admin directory. The admin directory that dpkg passes includes
// the root already (dpkg(1), DPKG_ADMINDIR); one that does not is taken as a path in the root.
func (inv *Invocation) setRoot(root, admin string) error {
	if root == "" {
		root = "/"
	}
	if !filepath.IsAbs(root) {
		return fmt.Errorf("DPKG_ROOT %q is not an absolute path", root)
	}
	inv.Root, inv.dpkg = filepath.Clean(root), &database{}
	if admin == "" {
		admin = filepath.Join(inv.Root, "var/lib/dpkg")
	}
	if !filepath.IsAbs(admin) {
		return fmt.Errorf("DPKG_ADMINDIR %q is not an absolute path", admin)
	}
	inv.AdminDir = filepath.Clean(admin)
	if inv.Root != "/" && !strings.HasPrefix(inv.AdminDir, inv.Root+"/") {
		inv.AdminDir = filepath.Join(inv.Root, inv.AdminDir)
	}
	return nil
}

func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}
