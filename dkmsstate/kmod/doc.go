// Package kmod reads the files of kernel modules: the modules themselves, compressed or not,
// and the Module.symvers of a kernel's headers.
//
// A module can have hundreds of megabytes. Of a large one only a part is kept in memory,
// whatever its compression. A Reader bounds the memory of all reads that run at the same time.
// A file that needs more than the bound causes an error, which proves nothing about the file.
//
// Modules may be hostile: no bytes make this package panic, and none make it read or keep more
// than its bounds.
package kmod
