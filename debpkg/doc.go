// Package debpkg holds dpkg's own words, typed: the call of a maintainer script
// (Action), a package's want, error flag and state (Status), the package
// database as dpkg has it at this moment (Database), and which packages own a
// kernel.
//
// It only reads. Inside a maintainer script the status file alone is wrong: dpkg
// writes what it does into the journal, updates/NNNN, and folds that into status
// later. Open merges both, as dpkg-query does.
//
// The database is read as untrusted text. A stanza that cannot be understood is
// noted and costs only the package that it names; a file that cannot be read is
// an error, since nobody knows what it says.
package debpkg
