package dkmsstate

import (
	"slices"
	"strings"
)

// signingKey gives the two files by which dkms signs modules (framework.conf(5),
// mok_signing_key and mok_certificate; prepare_signing in dkms). dkms makes them
// when they are missing.
func (l Layout) signingKey() (key, certificate string) {
	key, certificate = "/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"
	release, _ := readRegular(l.Path("/etc/os-release"))
	if slices.Contains(strings.Split(string(release), "\n"), "ID=ubuntu") {
		key, certificate = "/var/lib/shim-signed/mok/MOK.priv", "/var/lib/shim-signed/mok/MOK.der"
	}
	if l.Key != "" {
		key = l.Key
	}
	if l.Certificate != "" {
		certificate = l.Certificate
	}
	return key, certificate
}

// keyThere says that dkms need not make a key, or cannot.
func (l Layout) keyThere() bool {
	if _, err := lookPath("openssl"); err != nil {
		return true
	}
	if l.KeyUnknown {
		return false
	}
	key, certificate := l.signingKey()
	return strings.HasPrefix(key, "pkcs11:") || exists(l.Path(key)) && exists(l.Path(certificate))
}
