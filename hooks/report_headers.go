package hooks

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"dkms-hooks/dkmsstate"
)

// headersAdvice returns how to install the headers of a kernel: with the package of that name
// if dpkg or apt knows one, otherwise as for a kernel made with `make bindeb-pkg`.
func headersAdvice(ctx context.Context, inv Invocation) string {
	name := fmt.Sprintf("linux-headers-%s", inv.Kernel)
	if db, err := inv.database(); err == nil {
		if p, ok := db.Lookup(name, ""); ok && p.Status.Present() {
			return fmt.Sprintf("apt reinstall %s (its files are missing)", name)
		}
	}
	if inv.Root == "/" && aptKnows(ctx, name) {
		return fmt.Sprintf("apt install %s", name)
	}
	return fmt.Sprintf("dpkg -i %s_*.deb, which make bindeb-pkg put beside the image (apt has no package of that name)", name)
}

// mismatchAdvice returns what to do about headers that are not those of the image.
func mismatchAdvice(kernel dkmsstate.Release) string {
	return fmt.Sprintf("install the headers that were built with the image, or build anyway: dkms-hooks run postinst %s --force", kernel)
}

// aptKnows reports whether apt has a package of that name. It does not write apt's cache, since
// apt may be running.
func aptKnows(ctx context.Context, name string) bool {
	const limit = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/apt-cache",
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-q", "show", "--no-all-versions", name)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	return cmd.Run() == nil
}
