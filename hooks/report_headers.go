package hooks

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
)

// headersAdvice returns how to install the headers of a kernel: with the package that goes with
// that of the image, if dpkg or apt knows one, otherwise as for a kernel made with
// `make bindeb-pkg`.
func headersAdvice(ctx context.Context, inv Invocation) string {
	names := headersNames(inv)
	if advice := reinstallAdvice(inv, names); advice != "" {
		return advice
	}
	for _, name := range names {
		if !inv.elsewhere() && aptKnows(ctx, name) {
			return fmt.Sprintf("apt install %s", name)
		}
	}
	if inv.elsewhere() {
		return installAdvice(inv, names[0])
	}
	return fmt.Sprintf("install %s (apt does not offer it: a superseded kernel, or your own)", names[0])
}

// headersFix returns how to install the headers of a kernel without asking apt, which takes a
// while for each kernel.
func headersFix(inv Invocation) string {
	names := headersNames(inv)
	return cmp.Or(reinstallAdvice(inv, names), installAdvice(inv, names[0]))
}

// installAdvice names a package to install, which apt may not offer.
func installAdvice(inv Invocation, name string) string {
	if inv.elsewhere() {
		return fmt.Sprintf("install %s in %s", name, quoted(inv.Root))
	}
	return "install " + name
}

// reinstallAdvice returns what to do if one of the packages is installed, "" if none is. One whose name
// does not contain the release may be of another version than the image.
func reinstallAdvice(inv Invocation, names []string) string {
	db, err := inv.database()
	if err != nil {
		return ""
	}
	for _, name := range names {
		p, ok := db.Lookup(name, "")
		if !ok || !p.Status.Present() {
			continue
		}
		if !strings.Contains(name, strings.ToLower(string(inv.Kernel))) {
			if has, err := db.HasNamedAfter(p, string(inv.Kernel)); err == nil && !has {
				return fmt.Sprintf("%s (version %s, which is installed, is for another kernel)", inv.Command("apt install "+name), p.Version)
			}
		}
		return inv.Command("apt reinstall "+name) + " (its files are missing)"
	}
	return ""
}

// headersNames returns what a package of a kernel's headers may be called: by the name of the
// package that has the image, and by the release.
func headersNames(inv Invocation) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if db, err := inv.database(); err == nil {
		owners, _ := db.Starters(string(inv.Kernel))
		for _, p := range owners {
			name := strings.TrimSuffix(strings.TrimSuffix(p.Name, "-signed"), "-unsigned")
			if strings.HasSuffix(name, "-kernel") { // of old Raspberry Pi OS
				add(name + "-headers")
			}
			for _, image := range []string{"-image-unsigned-", "-image-", "-kernel-"} { // Ubuntu, Debian and Armbian, Proxmox
				if before, after, ok := strings.Cut(name, image); ok {
					add(before + "-headers-" + after)
					break
				}
			}
		}
	}
	add("linux-headers-" + strings.ToLower(string(inv.Kernel))) // as every name of a package (Policy 5.6.7)
	return names
}

// mismatchAdvice returns what to do about headers that are not those of the image.
func mismatchAdvice(inv Invocation, kernel dkmsstate.Release) string {
	return fmt.Sprintf("install the headers that were built with the image, or build anyway: %s --force", inv.runPostinst(kernel))
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
