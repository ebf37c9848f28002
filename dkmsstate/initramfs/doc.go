// Package initramfs reads which modules an initramfs contains. An initramfs is a sequence of cpio
// archives in the format "newc", each of which may be compressed (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst).
package initramfs
