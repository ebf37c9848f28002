// Package dkmstest creates roots with a DKMS tree and a kernel as dkms(8) leaves them, for
// tests.
package dkmstest
