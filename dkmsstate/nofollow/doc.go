// Package nofollow works in directories in which users other than root may have put symbolic
// links. It opens a directory and refers to its entries by name, so that no path can change its
// meaning between a check and the call that follows it.
//
// No name is followed, with two exceptions: Root.OpenDir follows the path of a directory that
// the administrator configured, and Dir.Descend follows a link that nobody but root can have
// created. Under another root than that of the running system, links are resolved inside that
// root.
//
// A file or directory is replaced completely or not at all. Where a filesystem refuses to
// rename or link something, it is copied. The last step of a copy is not a single call, so a
// directory is marked as partial until it is complete (PartialMark).
//
// os.Root of Go 1.24 has neither rename nor link, and refuses every link that leads out of it.
package nofollow
