// Package debpkg has types for what dpkg knows: the call of a maintainer script (Action), a
// package's want, error flag and state (Status), the package database at this moment
// (Database), and the packages that own a kernel.
//
// It only reads. During a maintainer script the status file alone is out of date: dpkg records
// what it does in the journal, updates/NNNN, and merges that into status later. Open reads
// both, as dpkg-query does.
//
// The database is treated as untrusted text. A stanza that cannot be parsed is reported in
// Troubles and hides only the package that it names. A file that cannot be read is an error,
// since it may contain anything.
package debpkg
