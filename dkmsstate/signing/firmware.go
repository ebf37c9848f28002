package signing

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/efivars"
)

// firmware is what the firmware, shim and the running kernel know of keys.
type firmware struct {
	// secure is whether Secure Boot is on, doubt why it is not known.
	secure state
	doubt  string
	// enrolled are the keys of MokListRT, database those of db, revoked what dbx and MokListXRT
	// contain. requested are the keys that the owner asked shim to enrol at the next boot.
	enrolled, database, revoked, requested []listEntry
	// trusted reports whether shim says that the kernel may trust the enrolled keys for modules
	// (MokListTrustedRT), ignoresDatabase whether it says that db does not count.
	trusted, ignoresDatabase bool
	// changes reports whether the owner asked shim to remove keys at the next boot.
	changes bool
	// troubles is why the lists are not known, "" if they are.
	troubles string
	// shown are the identifiers of the keys that the running kernel shows, nil if it shows none.
	shown []string
}

// readFirmware reads what a Host shows.
func readFirmware(h Host) firmware {
	var f firmware
	f.secure, f.doubt = h.secureBoot()
	f.shown = h.keys()
	switch h.efi() {
	case unknown:
		f.troubles = "the keys of the firmware are not known here"
		return f
	case no:
		return f
	}
	if !h.variables().Visible() {
		f.troubles = "the variables of the firmware are not visible"
	}
	f.enrolled = f.moks(h)
	f.database = f.list(h, "db", efivars.Database)
	f.revoked = append(f.list(h, "dbx", efivars.Database), f.list(h, "MokListXRT", efivars.Shim)...)
	f.requested = f.list(h, "MokNew", efivars.Shim)
	f.trusted, _ = h.exists(mokDir + "/MokListTrustedRT")
	f.ignoresDatabase = h.has("MokIgnoreDB")
	f.changes = slices.ContainsFunc([]string{"MokDel", "MokXNew", "MokDB", "MokListTrustedNew"}, h.has) || h.has("MokAuth") && !h.has("MokNew")
	return f
}

// moks returns the enrolled keys. The kernel reads the copy in its table of shim's variables, and
// the variable itself only if there is none (load_moklist_certs). A long list continues in
// variables with a number, which only the table contains as a whole.
func (f *firmware) moks(h Host) []listEntry {
	data, err := h.read(mokDir + "/MokListRT")
	if err != nil {
		if h.has("MokListRT1") {
			f.troubles = "the list of enrolled keys cannot be read as a whole"
		}
		return f.list(h, "MokListRT", efivars.Shim)
	}
	return f.entries("MokListRT", data)
}

// list returns the entries of a variable, none if it does not exist.
func (f *firmware) list(h Host, name, vendor string) []listEntry {
	data, _, err := h.variables().Read(name, vendor)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		f.troubles = fmt.Sprintf("the variable %s cannot be read", name)
		return nil
	}
	return f.entries(name, data)
}

func (f *firmware) entries(name string, data []byte) []listEntry {
	entries, err := parseSignatureLists(data)
	if err != nil {
		f.troubles = fmt.Sprintf("the variable %s cannot be read: %v", name, err)
	}
	return entries
}

// certificates returns the certificates in the lists that can be parsed.
func certificates(lists ...[]listEntry) []Certificate {
	var all []Certificate
	for _, e := range slices.Concat(lists...) {
		if !e.isCertificate() {
			continue
		}
		if c, err := ParseCertificate(e.data); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// keys returns the identifiers of the keys that the running kernel shows: "SUBJECT: IDENTIFIER:
// X509.rsa …" in proc_keys(5). It does not show in which keyring a key is. It returns nil where the
// file cannot be read as a whole, and where it shows only some of the keys: only root sees the
// keyring of those that are built in.
func (h Host) keys() []string {
	data, err := h.read("/proc/keys")
	if err != nil || !strings.Contains(string(data), " .builtin_trusted_keys: ") {
		return nil
	}
	ids := []string{}
	for line := range strings.Lines(string(data)) {
		head, _, ok := strings.Cut(line, ": X509.")
		if id := head[strings.LastIndexByte(head, ' ')+1:]; ok && id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// shows returns whether the running kernel shows a key, by the identifier of the key or, if it has
// none, by the serial number (x509_key_preparse).
func (f *firmware) shows(c Certificate) state {
	id := c.KeyID
	if id == nil {
		id = c.Serial
	}
	if len(id) > 1 && id[0] == 0 {
		id = id[1:]
	}
	switch {
	case f.shown == nil || len(id) == 0:
		return unknown
	case slices.Contains(f.shown, hex.EncodeToString(id)):
		return yes
	}
	return no
}

// revokesDigest reports whether a list of what is revoked contains a digest, such as that of a module.
func (f *firmware) revokesDigest(digest []byte) bool {
	return len(digest) > 0 && slices.ContainsFunc(f.revoked, func(e listEntry) bool { return bytes.Equal(e.data, digest) })
}

// revokes reports whether a list of revoked keys contains the certificate or its digest.
func (f *firmware) revokes(c Certificate) bool {
	return contains(f.revoked, c.Raw) || slices.ContainsFunc(f.revoked, func(e listEntry) bool { return c.hasDigest(e.data) })
}
