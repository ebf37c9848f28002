package hooks

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Invocation is how a hook was called: its arguments and what the environment
// says of the maintainer script behind it.
type Invocation struct {
	Hook   Hook
	Kernel dkmsstate.Release
	// Action is the maintainer script's call, from DEB_MAINT_PARAMS.
	Action debpkg.Action
	// ByHand reports whether a person gave the action as an order (--params).
	ByHand bool
	// Force reports whether a person insists on building with headers that are not those of
	// the kernel's image (--force).
	Force bool
	// Script is the maintainer script that runs the hook; empty by hand and
	// under kernel-install(8).
	Script Script
	// Quiet reports whether only what failed is to be said, Verbose that what is in order is
	// to be said too.
	Quiet, Verbose bool
	// BringIn reports whether a reconcile brings in what is missing on every kernel.
	BringIn bool
	// FailedOnly reports whether a reconcile does no more than try again what failed, where
	// other packages are installed since.
	FailedOnly bool
	// Root and AdminDir are where to look: DPKG_ROOT and DPKG_ADMINDIR.
	Root, AdminDir string
	// Environ is the environment, for the programs that the hook starts.
	Environ []string
	// dpkg is the database in AdminDir.
	dpkg *database
}

// Script is what dpkg exports of the maintainer script that is running.
type Script struct {
	// Name is prerm, postinst and so on; Package and Arch name its package.
	Name, Package, Arch string
}

// ParseInvocation reads the arguments (without the program's name) and the
// environment of a hook. The kernel release is checked; the image's path, a
// second argument that some callers give, is not used.
func ParseInvocation(hook Hook, args, environ []string) (Invocation, error) {
	inv := Invocation{Hook: hook}
	if err := inv.TakeArguments(args); err != nil {
		return inv, err
	}
	err := inv.readEnvironment(environ)
	return inv, err
}

// TakeArguments reads the arguments of a hook.
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

// ParseSurroundings reads the environment alone, for what is about every kernel.
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

// place sets the root and the admin directory. dpkg gives an admin directory
// that stands in the root already (dpkg(1), DPKG_ADMINDIR).
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
