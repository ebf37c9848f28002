// Package systemtest holds the tests of the hooks on real Debian systems: real
// dpkg, real dkms and real kernel headers in disposable roots of bookworm and
// trixie, the stock hooks beside ours. `make integration` runs them, as root.
//
// What a run is asked for are flags of the tests. A path in one is absolute, or relative
// to this directory:
//
//	go test -tags urfave_cli_no_docs,integration ./hooks/systemtest -args -help
//	go test -tags urfave_cli_no_docs,integration -v -run 'TestSystem/suite/.*/matrix' ./hooks/systemtest -args -suites trixie
package systemtest
