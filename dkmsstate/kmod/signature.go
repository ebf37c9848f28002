package kmod

import (
	"encoding/binary"
	"io"
)

// SignatureMark is the text at the end of a signed module (kernel, scripts/sign-file.c).
const SignatureMark = "~Module signature appended~\n"

// maxSignatures bounds how many signatures are stripped from a module. A module has more than
// one if its owner signed what dkms had signed.
const maxSignatures = 32

// unsigned returns the size of the contents without the signatures at their end. Each consists
// of the signature itself, a struct module_signature of 12 bytes, which ends with the length of
// the signature, and the SignatureMark (include/linux/module_signature.h).
func (c *contents) unsigned() int64 {
	const header, length = 12, 4
	size := c.size
	for range maxSignatures {
		rest := size - int64(len(SignatureMark))
		if rest < header || !c.endsWith(size, SignatureMark) {
			break
		}
		var end [length]byte
		if _, err := c.ReadAt(end[:], rest-length); err != nil {
			break
		}
		signature := int64(binary.BigEndian.Uint32(end[:]))
		if signature > rest-header {
			break
		}
		size = rest - header - signature
	}
	return size
}

// Signature returns the end of a module's file, including the whole last signature. It returns
// nil if the module is not signed or cannot be read.
func (r *Reader) Signature(path string) (end []byte) {
	const longest = 16 << 10
	_ = r.inTurn(func(m memory) error {
		c, err := m.open(path)
		if err != nil {
			return err
		}
		defer c.close()
		if !c.endsWith(c.size, SignatureMark) {
			return nil
		}
		end, err = io.ReadAll(c.part(max(0, c.size-longest), longest))
		return err
	})
	return end
}
