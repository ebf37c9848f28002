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

// Trigger is the dpkg trigger by which a hook requests a reconcile at the end of dpkg
// (deb-triggers(5)). debian/dkms-hooks.triggers declares an interest in it.
const Trigger = "dkms-hooks-reconcile"

// activate requests a reconcile through dpkg-trigger(1), and reports whether it did. The
// trigger stays activated even if dpkg aborts the removal. If dpkg fails, apt leaves the
// trigger pending: a note then makes apt's own hook reconcile (debian/after-apt). If only the
// note fails, activate returns true and the error.
//
// Nothing is activated by hand, in another root, or if no package is interested in the trigger.
func activate(ctx context.Context, inv Invocation, layout dkmsstate.Layout) (bool, error) {
	if inv.Script.Name == "" || inv.Root != "/" {
		return false, nil
	}
	if _, err := os.Stat(filepath.Join(inv.AdminDir, "triggers", Trigger)); err != nil {
		return false, nil // the hooks were installed without their package
	}
	unnoted := record.RequestReconcile(layout)
	const limit = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/dpkg-trigger", "--no-await", "--admindir="+inv.AdminDir, Trigger)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DPKG_MAINTSCRIPT_PACKAGE=" + inv.Script.Package,
		"DPKG_MAINTSCRIPT_ARCH=" + inv.Script.Arch, "DPKG_MAINTSCRIPT_NAME=" + inv.Script.Name}
	if out, err := cmd.CombinedOutput(); err != nil {
		return false, fmt.Errorf("cannot activate the trigger %s: %w: %s", Trigger, err, WithoutControls(strings.TrimSpace(string(out))))
	}
	return true, unnoted
}
