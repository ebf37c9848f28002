// Package vmlinuz has the names of kernel images, which dpkg's database and the trees are searched
// for.
package vmlinuz

// Names returns the names of an image in /boot, before the dash and the release, as the
// architectures and the programs that build kernels have them.
func Names() []string {
	return []string{"vmlinuz", "vmlinux", "Image", "Image.gz", "zImage", "uImage", "bzImage", "kernel"}
}

// Paths returns the paths in /boot that the image of a kernel release may have.
func Paths(release string) []string {
	var paths []string
	for _, name := range Names() {
		paths = append(paths, "/boot/"+name+"-"+release)
	}
	return paths
}
