package hooks

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Trigger is the dpkg trigger by which a hook asks for a reconcile when dpkg is
// done (deb-triggers(5)). debian/dkms-hooks.triggers is interested in it.
const Trigger = "dkms-hooks-reconcile"

// activate activates the trigger, which holds even when dpkg then gives up the
// removal. There is none to activate by hand or in another root.
func activate(ctx context.Context, inv Invocation) error {
	if inv.Script.Name == "" || inv.Root != "/" {
		return nil
	}
	const limit = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/dpkg-trigger", "--no-await", "--admindir="+inv.AdminDir, Trigger)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DPKG_MAINTSCRIPT_PACKAGE=" + inv.Script.Package,
		"DPKG_MAINTSCRIPT_ARCH=" + inv.Script.Arch, "DPKG_MAINTSCRIPT_NAME=" + inv.Script.Name}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot activate the trigger %s: %w: %s", Trigger, err, oneLine(strings.TrimSpace(string(out))))
	}
	return nil
}
