package signing

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// Message is the signature of a module, a PKCS #7 message of one signer (RFC 5652; the kernel's
// scripts/sign-file.c). github.com/smallstep/pkcs7 reads only messages with certificates in them,
// and needs crypto/x509.
type Message struct {
	// Issuer and Serial, or KeyID, name the certificate of the signer.
	Issuer, Serial, KeyID []byte
	// hash is the algorithm of the digest, 0 if it is not known.
	hash crypto.Hash
	// plain reports whether the message is as the kernel wants it: an RSA signature of the
	// contents themselves, without certificates and attributes.
	plain     bool
	signature []byte
}

// contentInfo, signedData and signerInfo are the structures of RFC 5652, 3 and 5.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content signedData `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version      int
	Algorithms   asn1.RawValue
	Contents     encapsulated
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	Revocations  asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type encapsulated struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"optional,explicit,tag:0"`
}

type signerInfo struct {
	Version    int
	ID         asn1.RawValue
	Digest     algorithm
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm  algorithm
	Signature  []byte
	Unsigned   asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct{ Issuer, Serial asn1.RawValue }

// ParseMessage parses the signature of a module.
func ParseMessage(der []byte) (Message, error) {
	var info contentInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return Message{}, fmt.Errorf("cannot read the PKCS #7 message: %w", errors.Join(err, trailing(rest)))
	}
	data := info.Content
	isData, isSigned := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	if !info.Type.Equal(isSigned) || len(data.Signers) != 1 {
		return Message{}, errors.New("the PKCS #7 message is not one of a single signer")
	}
	s := data.Signers[0]
	m := Message{hash: digestAlgorithm(s.Digest.ID), signature: s.Signature}
	m.plain = data.Contents.Type.Equal(isData) && s.Algorithm.ID.Equal(rsaEncryption()) &&
		len(data.Contents.Content.FullBytes)+len(data.Certificates.FullBytes)+len(s.Attributes.FullBytes)+len(s.Unsigned.FullBytes) == 0
	return m, m.setID(s.ID)
}

func trailing(rest []byte) error {
	if len(rest) > 0 {
		return errors.New("data follows it")
	}
	return nil
}

// setID sets what names the certificate of the signer (SignerIdentifier).
func (m *Message) setID(id asn1.RawValue) error {
	if id.Class == asn1.ClassContextSpecific && id.Tag == 0 && len(id.Bytes) > 0 {
		m.KeyID = id.Bytes
		return nil
	}
	var by issuerAndSerial
	if _, err := asn1.Unmarshal(id.FullBytes, &by); err != nil || len(by.Serial.Bytes) == 0 {
		return errors.New("the PKCS #7 message does not name its signer")
	}
	m.Issuer, m.Serial = by.Issuer.FullBytes, by.Serial.Bytes
	return nil
}

func digestAlgorithm(id asn1.ObjectIdentifier) crypto.Hash {
	sha2 := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2}
	if len(id) != len(sha2)+1 || !id[:len(sha2)].Equal(sha2) {
		return 0
	}
	return map[int]crypto.Hash{1: crypto.SHA256, 2: crypto.SHA384, 3: crypto.SHA512, 4: crypto.SHA224}[id[len(sha2)]]
}

// digestOf returns the hash with which the contents of a module were signed, nil if it is not
// known.
func digestOf(message []byte) hash.Hash {
	m, err := ParseMessage(message)
	if err != nil || m.hash == 0 {
		return nil
	}
	return m.hash.New()
}

// By reports whether the message names the certificate as that of its signer.
func (m Message) By(c Certificate) bool {
	if m.KeyID != nil {
		return bytes.Equal(m.KeyID, c.KeyID)
	}
	return bytes.Equal(m.Issuer, c.Issuer) && bytes.Equal(m.Serial, c.Serial)
}

// SameSigner reports whether two messages name the same certificate in the same way.
func (m Message) SameSigner(n Message) bool {
	return bytes.Equal(m.KeyID, n.KeyID) && bytes.Equal(m.Issuer, n.Issuer) && bytes.Equal(m.Serial, n.Serial)
}

// Fits reports whether the message is a signature of the digest by the certificate's key. known
// is false if it cannot be checked.
func (m Message) Fits(c Certificate, digest []byte) (fits, known bool) {
	if !m.plain || c.key == nil || m.hash == 0 || len(digest) != m.hash.Size() {
		return false, false
	}
	return rsa.VerifyPKCS1v15(c.key, m.hash, digest, m.signature) == nil, true
}

// Signer names the signer as far as the message does.
func (m Message) Signer() string {
	if name := commonName(m.Issuer); name != "" {
		return name
	}
	return fmt.Sprintf("%x", m.KeyID)
}
