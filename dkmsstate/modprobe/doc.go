// Package modprobe reads what decides which file of a module modprobe(8) loads: depmod.d(5), and
// whether it loads one at all: modprobe.d(5). It follows the source of kmod 28 to 34.
package modprobe
