package signing

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"dkms-hooks/dkmsstate"
)

// Certificate is what is needed of an X.509 certificate (RFC 5280). crypto/x509 would add 900 kB
// to each hook, and it rejects certificates that the kernel accepts.
type Certificate struct {
	// Raw is the whole certificate, Issuer and Subject are the names in it, all in DER.
	Raw, Issuer, Subject []byte
	// Serial is the serial number, KeyID the identifier of the key, nil if there is none.
	Serial, KeyID []byte
	// Name is the common name of the subject.
	Name string
	// tbs is the part that the issuer signed.
	tbs []byte
	// key is the public key, nil if it is not one of RSA.
	key *rsa.PublicKey
}

// x509Certificate and tbsCertificate are the structures of RFC 5280, 4.1.
type x509Certificate struct {
	TBS       tbsCertificate
	Algorithm asn1.RawValue
	Signature asn1.BitString
}

type tbsCertificate struct {
	Raw                asn1.RawContent
	Version            int `asn1:"optional,explicit,default:0,tag:0"`
	Serial             asn1.RawValue
	Algorithm          asn1.RawValue
	Issuer             asn1.RawValue
	Validity           asn1.RawValue
	Subject            asn1.RawValue
	Key                publicKey
	IssuerID, UniqueID asn1.BitString   `asn1:"optional"`
	Extensions         []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
}

type publicKey struct {
	Algorithm algorithm
	Key       asn1.BitString
}

type algorithm struct {
	ID         asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// maxCertificate bounds the size of a certificate.
const maxCertificate = 64 << 10

// ParseCertificate parses a certificate in DER or PEM.
func ParseCertificate(data []byte) (Certificate, error) {
	if len(data) > maxCertificate {
		return Certificate{}, errors.New("cannot read the certificate: it is too large")
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	var c x509Certificate
	rest, err := asn1.Unmarshal(data, &c)
	if err != nil {
		return Certificate{}, fmt.Errorf("cannot read the certificate: %w", err)
	}
	return Certificate{
		Raw: data[:len(data)-len(rest)], Issuer: c.TBS.Issuer.FullBytes, Subject: c.TBS.Subject.FullBytes, Serial: c.TBS.Serial.Bytes,
		KeyID: keyID(c.TBS.Extensions), tbs: c.TBS.Raw, Name: commonName(c.TBS.Subject.FullBytes), key: c.TBS.Key.rsa(),
	}, nil
}

// rsa returns the key if it is one of RSA (RFC 8017, A.1).
func (k publicKey) rsa() *rsa.PublicKey {
	var key struct {
		N *big.Int
		E int
	}
	const least, most = 1024, 16384
	_, err := asn1.Unmarshal(k.Key.RightAlign(), &key)
	if err != nil || !k.Algorithm.ID.Equal(rsaEncryption()) || key.E < 3 || key.N.Sign() <= 0 || key.N.BitLen() < least || key.N.BitLen() > most {
		return nil
	}
	return &rsa.PublicKey{N: key.N, E: key.E}
}

func rsaEncryption() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} }

// keyID returns the subject key identifier, an octet string in the value of its extension.
func keyID(extensions []pkix.Extension) []byte {
	for _, e := range extensions {
		var id []byte
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 14}) {
			continue
		}
		if _, err := asn1.Unmarshal(e.Value, &id); err == nil {
			return id
		}
	}
	return nil
}

// commonName returns the common name in a name in DER, or what else it says, in one line.
func commonName(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return ""
	}
	var name pkix.Name
	name.FillFromRDNSequence(&sequence)
	if name.CommonName != "" {
		return dkmsstate.OneLine(name.CommonName)
	}
	return dkmsstate.OneLine(name.String())
}

// hasDigest reports whether data begins with a digest of the certificate, or of the part of it that
// is signed. dbx contains either, for certificates that are revoked.
func (c Certificate) hasDigest(data []byte) bool {
	return slices.ContainsFunc(c.digests(), func(digest []byte) bool { return bytes.HasPrefix(data, digest) })
}

func (c Certificate) digests() [][]byte {
	var digests [][]byte
	for _, of := range [][]byte{c.tbs, c.Raw} {
		short, middle, long := sha256.Sum256(of), sha512.Sum384(of), sha512.Sum512(of)
		digests = append(digests, short[:], middle[:], long[:])
	}
	return digests
}
