package hooks

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// Trigger is the dpkg trigger by which a hook asks for a reconcile when dpkg is
// done (deb-triggers(5)). debian/dkms-hooks.triggers is interested in it.
const Trigger = "dkms-hooks-reconcile"

// activate asks for a reconcile by dpkg-trigger(1), which holds even when dpkg then gives
// up the removal, and reports whether it did. Where dpkg fails, apt leaves the trigger for
// later: a note of it lets apt's own hook do the reconcile (debian/after-apt). There is
// nothing to activate by hand, in another root, or where no package is interested.
func activate(ctx context.Context, inv Invocation, layout dkmsstate.Layout) (bool, error) {
	if inv.Script.Name == "" || inv.Root != "/" {
		return false, nil
	}
	if _, err := os.Stat(filepath.Join(inv.AdminDir, "triggers", Trigger)); err != nil {
		return false, nil // these hooks were installed without their package
	}
	unnoted := record.RequestReconcile(layout)
	const limit = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/dpkg-trigger", "--no-await", "--admindir="+inv.AdminDir, Trigger)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DPKG_MAINTSCRIPT_PACKAGE=" + inv.Script.Package,
		"DPKG_MAINTSCRIPT_ARCH=" + inv.Script.Arch, "DPKG_MAINTSCRIPT_NAME=" + inv.Script.Name}
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("cannot activate the trigger %s: %w: %s", Trigger, err, oneLine(strings.TrimSpace(string(out))))
	}
	return true, unnoted
}
