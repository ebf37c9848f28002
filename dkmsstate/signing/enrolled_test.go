package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// certificate creates a certificate as dkms does with openssl: self-signed, with an identifier
// of its key.
func certificate(t *testing.T) (der []byte, parsed *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 150))
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: serial.SetBit(serial, 158, 1), Subject: pkix.Name{CommonName: "DKMS module signing key"},
		SubjectKeyId: []byte("an identifier of key"), IsCA: true, BasicConstraintsValid: true}
	der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return der, parsed
}

func TestUnenrolled(t *testing.T) {
	der, _ := certificate(t)
	other, _ := certificate(t)
	attributes := "\x06\x00\x00\x00"
	list := func(certificate []byte) string {
		return attributes + "a signature list" + string(certificate) + "the next"
	}
	on := map[string]string{"vars/SecureBoot-" + efiGlobal: attributes + "\x01"}
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"Secure Boot is on":             {want: true},
		"others are enrolled":           {map[string]string{"vars/MokListRT-" + efiShim: list(other), "vars/db-" + efiDatabase: list(other)}, true},
		"Secure Boot is off":            {map[string]string{"vars/SecureBoot-" + efiGlobal: attributes + "\x00"}, false},
		"no UEFI":                       {map[string]string{"vars/SecureBoot-" + efiGlobal: ""}, false},
		"switched off in shim":          {map[string]string{"vars/MokSBStateRT-" + efiShim: attributes + "\x01"}, false},
		"enrolled":                      {map[string]string{"vars/MokListRT-" + efiShim: list(der)}, false},
		"enrolled, in a second part":    {map[string]string{"vars/MokListRT-" + efiShim: list(other), "vars/MokListRT1-" + efiShim: list(der)}, false},
		"enrolled, in the kernel's own": {map[string]string{"mok/MokListRT": list(der)}, false},
		"in the firmware":               {map[string]string{"vars/db-" + efiDatabase: list(der)}, false},
		"requested":                     {map[string]string{"vars/MokNew-" + efiShim: list(der)}, false},
		"trusted by the kernel": {map[string]string{"keys": "2a I------ 1 perm 1f030000 0 0 asymmetri Other: 00112233445566778899: X509.rsa 66778899 []\n" +
			fmt.Sprintf("2b I------ 1 perm 1f030000 0 0 asymmetri Own: key: %x: X509.rsa 0584b25f []\n", "an identifier of key")}, false},
		"odd keys":       {map[string]string{"keys": "asymmetri x: : X509.rsa\nasymmetri x: zz: X509.rsa\nasymmetri x: 30: X509.rsa\n"}, true},
		"no certificate": {map[string]string{"root/var/lib/dkms/mok.pub": "x"}, false},
		"as PEM":         {map[string]string{"root/var/lib/dkms/mok.pub": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, true},
		"as PEM, enrolled": {map[string]string{"vars/MokListRT-" + efiShim: list(der),
			"root/var/lib/dkms/mok.pub": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := Firmware{Vars: filepath.Join(dir, "vars"), Mok: filepath.Join(dir, "mok"), Keys: filepath.Join(dir, "keys")}
			for _, files := range []map[string]string{on, {"root/var/lib/dkms/mok.pub": string(der)}, c.files} {
				for name, data := range files {
					path := filepath.Join(dir, name)
					require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
					require.NoError(t, os.WriteFile(path, []byte(data), 0o644))
				}
			}
			path, certificate := Unenrolled(dkmsstate.DefaultLayout(filepath.Join(dir, "root")), f)
			if !c.want {
				assert.Empty(t, path)
				return
			}
			assert.Equal(t, "/var/lib/dkms/mok.pub", path)
			assert.Equal(t, der, certificate)
		})
	}
}

func TestSignedBy(t *testing.T) {
	der, parsed := certificate(t)
	other, _ := certificate(t)
	serial, err := asn1.Marshal(parsed.SerialNumber)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{serial, parsed.SubjectKeyId}, signers(der))
	l, m := dkmsstate.DefaultLayout(t.TempDir()), dkmsstate.Module{Name: "a", Version: "1.0"}
	s := dkmsstate.Snapshot{Layout: l, Kernel: "6.1", Builds: []dkmsstate.Build{{Module: m, Arch: "x86_64", Files: []dkmsstate.File{{Name: "a.ko", Installed: "a.ko", Dir: dkmsstate.InstalledUnder}}}},
		Links: []dkmsstate.Link{{Name: "a", Arch: "x86_64", Version: "1.0"}}}
	installed := filepath.Join(l.PlaceDir("6.1", dkmsstate.InstalledUnder), "a.ko")
	require.NoError(t, os.MkdirAll(filepath.Dir(installed), 0o755))
	for name, c := range map[string]struct {
		signature []byte
		want      string
	}{
		"by its number":       {append([]byte("a signature "), serial...), "a/1.0"},
		"by its key":          {append([]byte("a signature "), parsed.SubjectKeyId...), "a/1.0"},
		"by the owner's":      {[]byte("a signature of another key"), ""},
		"by nobody, of a key": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			data := kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic}, string(serial))
			if c.signature != nil {
				data = append(append(append(data, make([]byte, 32<<10)...), c.signature...), kmod.SignatureMark...)
			}
			require.NoError(t, os.WriteFile(installed, data, 0o644))
			assert.Equal(t, c.want, SignedBy(context.Background(), s, der))
			assert.Empty(t, SignedBy(context.Background(), s, other[:60]))
		})
	}
	for cut := range der { // must not panic
		signers(der[:cut])
	}
}
