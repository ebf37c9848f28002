// Package record keeps what the hooks know between runs, below /var/lib/dkms-hooks: the lock
// that keeps two runs apart, the record of what was tried and found, notes of work that is
// not finished, the notice for the next login, and logs of builds.
//
// A file is replaced whole, so that a run which is cut off leaves the old one. A file that
// cannot be understood counts as empty and is an error that says so; nothing depends on the
// record but what is read again without it, and whether a failure is reported again.
package record
