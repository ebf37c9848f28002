// Package fresh determines whether a build still fits its kernel, from the modules, the
// headers, the image, and the record of what each build was made from.
//
// A build is fresh, stale or unknown. It is stale only if something proves it: another vermagic
// than that of the kernel's own modules, another CRC of a symbol that it uses, or another
// kernel configuration or other headers than those that it was built from. Headers are compared
// with the image in the same way, since bindeb-pkg installs both under a release that stays the
// same.
package fresh
