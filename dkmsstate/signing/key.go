package signing

import (
	"strings"

	"dkms-hooks/dkmsstate"
)

// Key returns the paths of the key and of the certificate with which dkms signs modules
// (framework.conf(5), mok_signing_key and mok_certificate; prepare_signing in dkms). dkms
// creates them if they are missing. On systems that it takes for Ubuntu they are those of shim.
func Key(l dkmsstate.Layout) (key, certificate string) {
	key, certificate = "/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"
	if strings.HasPrefix(strings.ToLower(l.Distribution), "ubuntu") {
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
	if _, err := dkmsstate.LookPath("openssl"); err != nil || l.NeverSigns {
		return true
	}
	if l.KeyUnknown {
		return false
	}
	key, certificate := Key(l)
	return strings.HasPrefix(key, "pkcs11:") || dkmsstate.Exists(l.Path(key)) && dkmsstate.Exists(l.Path(certificate))
}
