package signing

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// listEntry is an entry of an EFI_SIGNATURE_LIST: a certificate, or a digest.
type listEntry struct {
	kind [16]byte
	data []byte
}

// isCertificate reports whether the entry is a whole certificate (EFI_CERT_X509_GUID).
func (e listEntry) isCertificate() bool {
	return string(e.kind[:]) == "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"
}

// parseSignatureLists parses a list of EFI_SIGNATURE_LIST (UEFI specification, Signature
// Database). Each begins with the kind of its entries and three sizes: of the list, of a header
// behind these, and of an entry, which begins with the identifier of its owner. The entries refer
// to data. As in the kernel, the rest is not read after an error (efi_parser.c).
func parseSignatureLists(data []byte) (entries []listEntry, err error) {
	const head, owner = 28, 16
	for len(data) > 0 {
		if len(data) < head {
			return entries, errors.New("a signature list is truncated")
		}
		all, skip, each := size(data[16:]), size(data[20:]), size(data[24:])
		if all < head || all > len(data) || skip > all-head || each <= owner || (all-head-skip)%each != 0 {
			return entries, errors.New("a signature list has wrong sizes")
		}
		for rest := data[head+skip : all]; len(rest) > 0; rest = rest[each:] {
			entries = append(entries, listEntry{[16]byte(data), rest[owner:each]})
		}
		data = data[all:]
	}
	return entries, nil
}

// size returns a number of 32 bits as a size, which no data has if it does not fit.
func size(data []byte) int { return int(int32(binary.LittleEndian.Uint32(data)) & 0x7fffffff) }

// contains reports whether the certificate is one of the entries.
func contains(entries []listEntry, certificate []byte) bool {
	for _, e := range entries {
		if e.isCertificate() && bytes.Equal(e.data, certificate) {
			return true
		}
	}
	return false
}
