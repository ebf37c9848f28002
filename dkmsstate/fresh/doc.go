// Package fresh finds whether a build still fits its kernel, from what modules, headers and
// the image say, and from the record of what each build was made from.
//
// A build is fresh, stale or unknown. It is stale only where a witness proves it: another
// vermagic than that of the kernel's own modules, another CRC of a symbol that it uses, or
// other headers than those that it was built from. Headers are compared with the image in
// the same way, since bindeb-pkg installs both under a release that stays the same.
package fresh
