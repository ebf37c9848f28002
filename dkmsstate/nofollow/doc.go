// Package nofollow works in directories in which others than root may have put symbolic
// links. It opens directories, and then names entries in them, so that no path can change
// its meaning between a check and the call that it was made for.
//
// A name is never followed, with two exceptions: Root.OpenDir follows the path of a
// directory that the administrator configured, and Dir.Descend a link that nobody but root
// can have made. Under another root than the running system's, links stay inside of it.
//
// A file or a directory takes the place of another one whole or not at all. Filesystems
// that refuse to rename or to link something get copies, whose last step is then not a
// single call: a directory is marked as partial meanwhile (PartialMark).
//
// os.Root of Go 1.24 has neither rename nor link, and refuses every link that leads out
// of it.
package nofollow
