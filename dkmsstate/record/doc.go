// Package record keeps the state of the hooks between runs. Below /var/lib/dkms-hooks these are
// the locks that keep two runs apart, the record of attempts and findings, notes of unfinished
// work, and the notice for the next login. Logs of builds are below /var/log/dkms-hooks.
//
// The record and the notice are replaced as a whole, so that an interrupted run leaves the old
// one. A record that cannot be parsed counts as empty, and the error reports that. Nothing
// depends on the record except facts that are otherwise read again, and whether a failure is
// reported again.
package record
