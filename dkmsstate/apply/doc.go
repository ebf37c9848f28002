// Package apply carries out a plan. A Machine builds and installs through dkms(8), several
// modules at a time. A Tree moves and removes files.
//
// Each change is ordered so that every prefix of it is a state that the next run recognises and
// finishes: a Snapshot knows every name that a directory has in between (dkmsstate, names.go).
// A build that does not fit is kept until the new one is verified, and is restored if that
// fails.
package apply
