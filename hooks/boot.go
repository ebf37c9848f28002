package hooks

import (
	"slices"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// startable reports whether there is an image to start the kernel from: under one of the usual
// names, in a package together with the kernel's modules (kernel8.img), or in the kernel's
// module directory. If a package owns the latter, as in Debian 14, a hook copies it to /boot.
func startable(inv Invocation, layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	if layout.ImageThere(kernel) {
		return true
	}
	db, err := inv.database()
	if err != nil {
		return false
	}
	images, _ := db.Images(string(kernel))
	return slices.ContainsFunc(images, func(path string) bool { return dkmsstate.Exists(layout.Path(path)) }) || unownedImage(db, layout, kernel)
}

// unownedImage reports whether the kernel's module directory contains an image that no package
// owns.
func unownedImage(db *debpkg.Database, layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	const name = "vmlinuz"
	if !dkmsstate.AnyExists(layout.KernelDir(kernel), name) {
		return false
	}
	owners, err := db.WithFile("/lib/modules/" + string(kernel) + "/" + name)
	return err == nil && len(owners) == 0
}

// newest returns the newest installed kernel with an image, "" if there is none. A boot
// loader starts it next, unless it is configured otherwise.
func newest(inv Invocation, layout dkmsstate.Layout) dkmsstate.Release {
	for _, kernel := range layout.InstalledKernels() {
		if layout.KernelThere(kernel) && startable(inv, layout, kernel) {
			return kernel
		}
	}
	return ""
}

// running reports whether a kernel of the layout is the running one.
func running(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	return kernel != "" && kernel == layout.Running
}

// bootable returns the newest kernel with an image and the running kernel, as far as they are
// installed.
func bootable(inv Invocation, layout dkmsstate.Layout) []dkmsstate.Release {
	var kernels []dkmsstate.Release
	next := newest(inv, layout)
	for _, kernel := range layout.InstalledKernels() {
		if kernel == next || running(layout, kernel) && layout.KernelThere(kernel) {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}
