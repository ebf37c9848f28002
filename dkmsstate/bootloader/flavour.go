package bootloader

import (
	"regexp"
	"strings"

	"dkms-hooks/dkmsstate"
)

// Newest returns the newest installed kernel with an image, "" if there is none. If a
// kernel of the running one's flavour is installed, it is one of these: a machine that runs
// 6.12.9-cloud-amd64 does not start 6.12.10-rt-amd64 next because that is newer.
func (m Machine) Newest() dkmsstate.Release {
	l := m.Layout
	image := m.Image
	if image == nil {
		image = l.ImageThere
	}
	var newest dkmsstate.Release
	for _, kernel := range l.InstalledKernels() {
		if !l.KernelThere(kernel) || !image(kernel) {
			continue
		}
		if l.Running == "" || Flavour(kernel) == Flavour(l.Running) {
			return kernel
		}
		if newest == "" {
			newest = kernel
		}
	}
	return newest
}

// Flavour returns what follows the version in a kernel release: amd64, cloud-amd64, pve,
// rpi-2712, generic. Numbers behind the version, such as that of an ABI, belong to the version,
// and so does a release candidate.
func Flavour(k dkmsstate.Release) string {
	parts := strings.Split(string(k), "-")
	version := regexp.MustCompile(`^([0-9].*|rc[0-9]+)$`)
	for len(parts) > 0 && version.MatchString(parts[0]) {
		parts = parts[1:]
	}
	return strings.Join(parts, "-")
}
