package hooks

import "dkms-hooks/dkmsstate"

// newest returns the newest installed kernel with an image, "" if there is none. A boot
// loader starts it next, unless it is configured otherwise.
func newest(layout dkmsstate.Layout) dkmsstate.Release {
	for _, kernel := range layout.InstalledKernels() {
		if layout.KernelThere(kernel) && layout.ImageThere(kernel) {
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
func bootable(layout dkmsstate.Layout) []dkmsstate.Release {
	var kernels []dkmsstate.Release
	next := newest(layout)
	for _, kernel := range layout.InstalledKernels() {
		if kernel == next || running(layout, kernel) && layout.KernelThere(kernel) {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}
