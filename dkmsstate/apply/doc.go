// Package apply carries out a plan. A Machine builds and installs through dkms(8), several
// modules at a time, and a Tree moves and removes files.
//
// Each change is ordered so that every prefix of it is a state which the next run
// recognises and finishes: every name that a directory has meanwhile is one that a Snapshot
// knows (dkmsstate, names.go). A build that does not fit is kept until the new one is
// verified, and is put back when that fails.
package apply
