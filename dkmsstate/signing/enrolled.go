package signing

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// Firmware contains the paths at which the kernel shows the variables of UEFI, those of shim,
// and its own keys.
type Firmware struct{ Vars, Mok, Keys string }

// SystemFirmware returns the paths of the running system.
func SystemFirmware() Firmware {
	return Firmware{Vars: "/sys/firmware/efi/efivars", Mok: "/sys/firmware/efi/mok-variables", Keys: "/proc/keys"}
}

// The vendors of UEFI variables: the firmware, its image security database, and shim.
const (
	efiGlobal   = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
	efiDatabase = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
	efiShim     = "605dab50-e046-4300-abb6-3dd810dd8b23"
)

// Unenrolled returns the certificate of the key with which dkms signs modules, and its path, if
// Secure Boot is on, neither the firmware nor shim nor the running kernel knows the
// certificate, and its enrolment is not requested for the next boot. Otherwise, and if anything
// cannot be read, path is "".
func Unenrolled(l dkmsstate.Layout, f Firmware) (path string, certificate []byte) {
	if !f.secure() {
		return "", nil
	}
	_, path = Key(l)
	data, err := regular.ReadFile(l.Path(path))
	if err != nil {
		return "", nil
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	const least = 64
	if len(data) < least || f.knows(data) {
		return "", nil
	}
	return path, data
}

// secure reports whether Secure Boot is on and not switched off in shim.
func (f Firmware) secure() bool {
	on := f.variable("SecureBoot", efiGlobal)
	off := f.variable("MokSBStateRT", efiShim)
	return len(on) > 0 && on[len(on)-1] == 1 && (len(off) == 0 || off[len(off)-1] != 1)
}

// knows reports whether a certificate is in a list of the firmware (db) or of shim, or is that
// of a key that the kernel trusts. The lists contain certificates as a whole (UEFI
// specification, EFI_SIGNATURE_LIST).
func (f Firmware) knows(certificate []byte) bool {
	lists := [][]byte{f.variable("db", efiDatabase), f.variable("MokNew", efiShim)}
	for _, pattern := range []string{filepath.Join(f.Vars, "MokListRT*-"+efiShim), filepath.Join(f.Mok, "MokListRT*")} {
		found, _ := filepath.Glob(pattern)
		for _, path := range found {
			data, err := os.ReadFile(path)
			if err != nil {
				return true // it may contain the certificate
			}
			lists = append(lists, data)
		}
	}
	return slices.ContainsFunc(lists, func(list []byte) bool { return bytes.Contains(list, certificate) }) || f.trusts(certificate)
}

// trusts reports whether the kernel has the certificate in one of its keyrings, by the
// identifier of its key: "SUBJECT: IDENTIFIER: X509.rsa …" in proc_keys(5).
func (f Firmware) trusts(certificate []byte) bool {
	data, _ := os.ReadFile(f.Keys)
	for line := range strings.Lines(string(data)) {
		head, _, ok := strings.Cut(line, ": X509.")
		if !ok {
			continue
		}
		const least = 8
		id, err := hex.DecodeString(head[strings.LastIndexByte(head, ' ')+1:])
		if err == nil && len(id) >= least && bytes.Contains(certificate, id) {
			return true
		}
	}
	return false
}

// variable returns the value of a UEFI variable, which follows four bytes of attributes.
func (f Firmware) variable(name, vendor string) []byte {
	data, err := os.ReadFile(filepath.Join(f.Vars, name+"-"+vendor))
	const attributes = 4
	if err != nil || len(data) < attributes {
		return nil
	}
	return data[attributes:]
}

// SignedBy returns the first module that is installed on the kernel with a signature of the
// certificate's key, or "" if there is none.
func SignedBy(ctx context.Context, s dkmsstate.Snapshot, certificate []byte) string {
	ids := signers(certificate)
	for _, b := range s.Builds {
		if link, ok := s.Link(b.Module.Name, b.Arch); !ok || link.Version != b.Module.Version {
			continue
		}
		for _, f := range b.Files {
			if ctx.Err() != nil {
				return ""
			}
			signature := s.Layout.Reader.Signature(s.Layout.InstalledFile(s.Kernel, f))
			if slices.ContainsFunc(ids, func(id []byte) bool { return bytes.Contains(signature, id) }) {
				return b.Module.String()
			}
		}
	}
	return ""
}

// signers returns what identifies the certificate in a signature (RFC 5652, SignerIdentifier):
// its serial number, and the identifier of its key. Both are searched for in their DER
// encoding, so short ones are left out.
func signers(certificate []byte) [][]byte {
	var ids [][]byte
	const least = 8
	// Certificate, TBSCertificate, [0] version, then the serial number
	rest := certificate
	for range 2 {
		_, _, value := element(rest)
		rest = value
	}
	if tag, whole, _ := element(rest); tag == 0xa0 {
		rest = rest[len(whole):]
	}
	if tag, whole, value := element(rest); tag == 0x02 && len(value) >= least {
		ids = append(ids, whole)
	}
	subjectKeyIdentifier := []byte{0x06, 0x03, 0x55, 0x1d, 0x0e}
	if _, after, ok := bytes.Cut(certificate, subjectKeyIdentifier); ok {
		if tag, _, value := element(after); tag == 0x04 { // an OCTET STRING in another
			if tag, _, id := element(value); tag == 0x04 && len(id) >= least {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// element returns the first element of DER data: its tag, the whole of it, and its value. It
// returns nothing if the element is truncated.
func element(der []byte) (tag byte, whole, value []byte) {
	if len(der) < 2 {
		return 0, nil, nil
	}
	length, head := int(der[1]), 2
	if n := length - 0x80; n > 0 {
		if n > 3 || len(der) < head+n {
			return 0, nil, nil
		}
		length = 0
		for _, b := range der[head : head+n] {
			length = length<<8 | int(b)
		}
		head += n
	}
	if length == 0x80 || len(der) < head+length {
		return 0, nil, nil
	}
	return der[0], der[:head+length], der[head : head+length]
}
