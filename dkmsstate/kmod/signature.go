package kmod

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"

	"dkms-hooks/dkmsstate/sentinel"
)

// SignatureMark is the text at the end of a signed module (kernel, scripts/sign-file.c).
const SignatureMark = "~Module signature appended~\n"

// maxSignatures bounds how many signatures are stripped from a module. A module has more than
// one if its owner signed what dkms had signed.
const maxSignatures = 32

// signatureHeader is the size of a struct module_signature, which follows the signature and ends
// with its length (include/linux/module_signature.h).
const signatureHeader = 12

// unsigned returns the size of the contents without the signatures at their end. Each consists
// of the signature itself, a struct module_signature, and the SignatureMark.
func (c *contents) unsigned() int64 {
	size := c.size
	for range maxSignatures {
		start, _, ok := c.lastSignature(size)
		if !ok {
			break
		}
		size = start
	}
	return size
}

// lastSignature returns where the signature begins with which the first size bytes end, and the
// header behind it. ok is false if they do not end with one.
func (c *contents) lastSignature(size int64) (start int64, header [signatureHeader]byte, ok bool) {
	rest := size - int64(len(SignatureMark)) - signatureHeader
	if rest < 0 || !c.endsWith(size, SignatureMark) {
		return 0, header, false
	}
	if _, err := c.ReadAt(header[:], rest); err != nil {
		return 0, header, false
	}
	length := int64(binary.BigEndian.Uint32(header[signatureHeader-4:]))
	return rest - length, header, length <= rest
}

// ErrSignature means that a module ends with the SignatureMark, but not with a signature that
// the kernel accepts.
const ErrSignature = sentinel.Error("what it ends with is not a signature")

// Signature is the last signature of a module, which is the one that the kernel checks.
type Signature struct {
	// Message is the signature, a PKCS #7 message. It is nil if the module is not signed.
	Message []byte
	// Digest is the digest of what precedes the signature, nil if its algorithm is not known.
	Digest []byte
}

// maxSignature bounds the size of a signature. One of sign-file has less than two kilobytes.
const maxSignature = 64 << 10

// Signature reads the last signature of a module's file, compressed or not. algorithm returns
// the hash of the signed contents by the message, or nil. The error is ErrSignature if the module
// ends with something that is not a signature (mod_check_sig in kernel/module_signature.c).
func (r *Reader) Signature(ctx context.Context, path string, algorithm func(message []byte) hash.Hash) (signature Signature, err error) {
	err = r.withContents(ctx, path, func(c *contents) error {
		signature, err = c.signature(ctx, algorithm)
		return err
	})
	if err != nil {
		return Signature{}, fmt.Errorf("cannot read the signature of %s: %w", filepath.Base(path), err)
	}
	return signature, nil
}

// signature reads the last signature and the digest of what precedes it.
func (c *contents) signature(ctx context.Context, algorithm func(message []byte) hash.Hash) (Signature, error) {
	if !c.endsWith(c.size, SignatureMark) {
		return Signature{}, c.failed
	}
	start, header, ok := c.lastSignature(c.size)
	length := c.size - int64(len(SignatureMark)) - signatureHeader - start
	if pkcs7 := [signatureHeader - 4]byte{2: 2}; !ok || [signatureHeader - 4]byte(header[:]) != pkcs7 || length > maxSignature {
		return Signature{}, errors.Join(ErrSignature, c.failed)
	}
	message, err := io.ReadAll(c.part(start, length))
	if err != nil {
		return Signature{}, err
	}
	sum := algorithm(message)
	if sum == nil {
		return Signature{Message: message}, nil
	}
	if err := copyUntil(ctx, sum, c.part(0, start)); err != nil {
		return Signature{}, err
	}
	return Signature{message, sum.Sum(nil)}, nil
}

// copyUntil copies everything, unless the context ends.
func copyUntil(ctx context.Context, to io.Writer, from io.Reader) error {
	const piece = 1 << 20
	for ctx.Err() == nil {
		_, err := io.CopyN(to, from, piece)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
