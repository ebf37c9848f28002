// Package bootloader finds out which kernel starts at the next boot, and with which command
// line, from the files of the boot loader: GRUB, systemd-boot, extlinux (syslinux, U-Boot), the
// firmware of a Raspberry Pi, and the pins of Proxmox.
//
// It reads files below a root and runs nothing. What it does not understand, what two files
// contradict and what it cannot read is Unknown, with a reason. It never guesses.
package bootloader
