package signing

import (
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// Key returns the paths of the key and of the certificate with which dkms signs modules
// (framework.conf(5), mok_signing_key and mok_certificate; prepare_signing in dkms). dkms
// creates them if they are missing.
func Key(l dkmsstate.Layout) (key, certificate string) {
	key, certificate = "/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"
	release, _ := regular.ReadFile(l.Path("/etc/os-release"))
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

// KeyThere reports whether dkms need not create a key, or cannot.
func KeyThere(l dkmsstate.Layout) bool {
	if _, err := dkmsstate.LookPath("openssl"); err != nil {
		return true
	}
	if l.KeyUnknown {
		return false
	}
	key, certificate := Key(l)
	return strings.HasPrefix(key, "pkcs11:") || dkmsstate.Exists(l.Path(key)) && dkmsstate.Exists(l.Path(certificate))
}
