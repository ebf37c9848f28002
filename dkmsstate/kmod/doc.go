// Package kmod reads files that belong to a kernel's modules: the modules themselves, plain
// or compressed, and the Module.symvers of the kernel's headers.
//
// A module may have hundreds of megabytes. Of the large ones never more than a part is in
// memory, whatever they are compressed with; a Reader bounds that for all who read at the
// same time. What needs more than the bound is an error, and proves nothing about the file.
//
// Modules may be hostile: no bytes make this package panic, and none make it read or keep
// more than its bounds.
package kmod
