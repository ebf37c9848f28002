package signing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/efivars"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// release is the kernel of the tests.
const release = "6.12.118+deb13-amd64"

// debianVersion is the version of Debian's kernels, and debianConfig what their configuration says
// about signatures.
const (
	debianVersion = release + " (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.12.118-1 (2026-11-20)"
	debianConfig  = `# CONFIG_CMDLINE_BOOL is not set
CONFIG_MODULES=y
CONFIG_MODULE_SIG=y
# CONFIG_MODULE_SIG_FORCE is not set
CONFIG_EFI=y
# CONFIG_EFI_DISABLE_RUNTIME is not set
CONFIG_SECURITY_LOCKDOWN_LSM=y
CONFIG_SECURITY_LOCKDOWN_LSM_EARLY=y
CONFIG_LOCK_DOWN_KERNEL_FORCE_NONE=y
CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y
CONFIG_INTEGRITY_PLATFORM_KEYRING=y
CONFIG_INTEGRITY_MACHINE_KEYRING=y
# CONFIG_INTEGRITY_CA_MACHINE_KEYRING is not set
CONFIG_LOAD_UEFI_KEYS=y
CONFIG_IMA_ARCH_POLICY=y
CONFIG_IMA_SECURE_AND_OR_TRUSTED_BOOT=y
CONFIG_CRYPTO_RSA=y
CONFIG_CRYPTO_SHA256=y
CONFIG_CRYPTO_SHA512=y
CONFIG_SECONDARY_TRUSTED_KEYRING=y
`
)

// fixture returns a file of testdata.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

// list returns an EFI_SIGNATURE_LIST of certificates.
func list(certificates ...[]byte) string {
	var out []byte
	for _, c := range certificates {
		out = append(out, "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"...)
		out = binary.LittleEndian.AppendUint32(out, uint32(28+16+len(c)))
		out = binary.LittleEndian.AppendUint32(out, 0)
		out = binary.LittleEndian.AppendUint32(out, uint32(16+len(c)))
		out = append(append(out, "owner of the key"...), c...)
	}
	return string(out)
}

// image returns the head of an image for x86 with a version and a table of certificates.
func image(version string, table []byte) string {
	out := make([]byte, 0x1000)
	copy(out, "MZ")
	binary.LittleEndian.PutUint32(out[0x3c:], 0x40)
	copy(out[0x40:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(out[0x40+24:], 0x20b)
	binary.LittleEndian.PutUint32(out[0x40+24+112+32:], uint32(len(out)))
	binary.LittleEndian.PutUint32(out[0x40+24+112+36:], uint32(len(table)))
	copy(out[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(out[0x20e:], 0x300)
	copy(out[0x500:], version)
	return string(append(out, table...))
}

// files are those of a root and of a host, by their path. One that is "" does not exist.
type files map[string]string

// place writes the files below a directory.
func (f files) place(t *testing.T, dir string) {
	t.Helper()
	for name, data := range f {
		if data == "" {
			continue
		}
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(data), 0o644))
	}
}

// with returns the files with others.
func (f files) with(others files) files {
	all := maps.Clone(f)
	maps.Copy(all, others)
	return all
}

// The paths and the attributes of variables.
const (
	vars       = "host" + efivars.Dir + "/"
	table      = "host/sys/firmware/efi/mok-variables/"
	atRuntime  = "\x06\x00\x00\x00"
	nonvolatil = "\x07\x00\x00\x00"
	config     = "root/boot/config-" + release
	vmlinuz    = "root/boot/vmlinuz-" + release
	own        = "root/lib/modules/" + release + "/kernel/"
)

// debian returns a machine with a kernel of Debian, the key of dkms and, unless it is off, Secure
// Boot with the key enrolled.
func debian(t *testing.T) files {
	mok, shim := fixture(t, "mok.der"), fixture(t, "other.der")
	kernel := string(fixture(t, "kernel.ko"))
	certificate, err := ParseCertificate(shim)
	require.NoError(t, err)
	return files{
		config: debianConfig, "root/boot/vmlinuz-" + release: image(debianVersion, certificate.Subject),
		own + "a.ko": kernel, own + "b.ko": kernel, own + "c.ko": kernel,
		"root/lib/modules/" + release + "/modules.order": "kernel/a.ko\nkernel/b.ko\nkernel/c.ko\n",
		"root/var/lib/dkms/mok.pub":                      string(mok),
		vars + "SecureBoot-" + efivars.Firmware:          atRuntime + "\x01",
		vars + "SetupMode-" + efivars.Firmware:           atRuntime + "\x00",
		vars + "MokListRT-" + efivars.Shim:               atRuntime + list(shim, mok),
		vars + "db-" + efivars.Database:                  nonvolatil + list(shim),
		table + "MokListRT":                              list(shim, mok),
		table + "MokListTrustedRT":                       "\x01",
	}
}

// enrolled returns the files by which certificates are enrolled instead.
func enrolled(certificates ...[]byte) files {
	return files{vars + "MokListRT-" + efivars.Shim: atRuntime + list(certificates...), table + "MokListRT": list(certificates...)}
}

// module returns the path of a module of testdata, or of one that was changed after it was signed.
func module(t *testing.T, name string) string {
	t.Helper()
	data := fixture(t, "mok.ko")
	switch name {
	case "changed.ko":
		const somewhere = 300
		data[somewhere] ^= 1
	case "damaged.ko":
		data[len(data)-len(kmod.SignatureMark)-2] ^= 0x40
	default:
		return filepath.Join("testdata", name)
	}
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

// judge answers about a module with a command line. It is that of a boot loader's configuration
// unless it is "": "?" is one that is not known as a whole.
func judge(t *testing.T, all files, module, line string, running bool) Answer {
	t.Helper()
	dir := t.TempDir()
	all.place(t, dir)
	l := dkmsstate.DefaultLayout(filepath.Join(dir, "root"))
	if running {
		l.Running = release
	}
	k := NewMachine(l, HostAt(filepath.Join(dir, "host"))).Kernel(context.Background(), release, Line{Text: strings.Trim(line, "?"), Chosen: line != ""})
	return k.Judge(context.Background(), module, dkmsstate.SignatureRecord{})
}

func TestJudge(t *testing.T) {
	mok, other, kernel := fixture(t, "mok.der"), fixture(t, "other.der"), fixture(t, "kernel.der")
	certificate, err := ParseCertificate(mok)
	require.NoError(t, err)
	const notEnrolled, notSigned = "signed by CN=mok key, which is not enrolled (Secure Boot is on)", "not signed, and this kernel takes only signed modules (Secure Boot is on)"
	off := files{vars + "SecureBoot-" + efivars.Firmware: atRuntime + "\x00"}
	nobody := enrolled(other)
	option := func(from, to string) files {
		require.Contains(t, debianConfig, from)
		return files{config: strings.Replace(debianConfig, from, to, 1)}
	}
	foreign := files{"root/boot/vmlinuz-" + release: image(release+" (root@host) #1 SMP Debian 6.12.118-1", certificateOf(t, other).Subject)}
	for name, c := range map[string]struct {
		files  files
		module string
		line   string
		want   Verdict
		reason string
		cause  Cause
	}{
		"enrolled":                                {nil, "mok.ko", "ro", Loads, "signed by CN=mok key, which is enrolled", ""},
		"enrolled, another digest":                {nil, "mok512.ko", "ro", Loads, "signed by CN=mok key, which is enrolled", ""},
		"enrolled, named by its identifier":       {nil, "mokid.ko", "ro", Loads, "signed by CN=mok key, which is enrolled", ""},
		"enrolled, the line is not known":         {nil, "mok.ko", "", Unknown, "command line", ""},
		"enrolled, and changed afterwards":        {nil, "changed.ko", "ro", Refused, "signed by CN=mok key, and changed afterwards", Changed},
		"not enrolled":                            {nobody, "mok.ko", "ro", Refused, notEnrolled, NotEnrolled},
		"not enrolled, the line is not known":     {nobody, "mok.ko", "", Refused, notEnrolled, NotEnrolled},
		"not enrolled, certificate not at hand":   {files{"root/var/lib/dkms/mok.pub": ""}.with(nobody), "mok.ko", "ro", Refused, notEnrolled, NotEnrolled},
		"not enrolled, another key":               {nil, "ec.ko", "ro", Refused, "signed by CN=ec key, which is not enrolled (Secure Boot is on)", NotEnrolled},
		"not signed":                              {nil, "unsigned.ko", "ro", Refused, notSigned, NotSigned},
		"not signed, the line is not known":       {nil, "unsigned.ko", "", Refused, notSigned, NotSigned},
		"waiting":                                 {files{vars + "MokNew-" + efivars.Shim: nonvolatil + list(mok), vars + "MokAuth-" + efivars.Shim: nonvolatil + "x"}.with(nobody), "mok.ko", "ro", Unknown, "signed by CN=mok key, whose enrolment is waiting for a reboot", Waiting},
		"what is revoked cannot be read":          {files{vars + "MokListXRT-" + efivars.Shim: atRuntime + "x"}, "mok.ko", "ro", Unknown, "MokListXRT cannot be read", ""},
		"to be deleted":                           {files{vars + "MokDel-" + efivars.Shim: nonvolatil + list(mok)}, "mok.ko", "ro", Unknown, "a change of the enrolled keys", ""},
		"all to be deleted":                       {files{vars + "MokAuth-" + efivars.Shim: nonvolatil + "x"}, "mok.ko", "ro", Unknown, "a change of the enrolled keys", ""},
		"revoked by the owner":                    {files{vars + "MokListXRT-" + efivars.Shim: atRuntime + list(mok)}, "mok.ko", "ro", Unknown, "revoked", ""},
		"revoked by its digest":                   {files{vars + "dbx-" + efivars.Database: nonvolatil + digestList(certificate)}, "mok.ko", "ro", Unknown, "revoked", ""},
		"in db":                                   {files{vars + "db-" + efivars.Database: nonvolatil + list(mok, other)}.with(nobody), "mok.ko", "ro", Loads, "signed by CN=mok key, which is in db", ""},
		"in db, which shim ignores":               {files{vars + "db-" + efivars.Database: nonvolatil + list(mok, other), vars + "MokIgnoreDB-" + efivars.Shim: nonvolatil + "\x01"}.with(nobody), "mok.ko", "ro", Unknown, "which is in db", ""},
		"in db, not Debian's kernel":              {files{vars + "db-" + efivars.Database: nonvolatil + list(mok, other)}.with(nobody).with(foreign), "mok.ko", "ro", Unknown, "which is in db", ""},
		"only Debian's kernel trusts it":          {files{table + "MokListTrustedRT": ""}, "mok.ko", "ro", Loads, "which is enrolled", ""},
		"enrolled is not trusted":                 {files{table + "MokListTrustedRT": ""}.with(foreign), "mok.ko", "ro", Unknown, "whether this kernel takes enrolled keys for modules", ""},
		"enrolled, trusted, by another builder":   {foreign, "mok.ko", "ro", Loads, "which is enrolled", ""},
		"enrolled, for certificate authorities":   {foreign.with(option("# CONFIG_INTEGRITY_CA_MACHINE_KEYRING is not set", "CONFIG_INTEGRITY_CA_MACHINE_KEYRING=y")), "mok.ko", "ro", Unknown, "enrolled", ""},
		"enrolled, a kernel without the keyrings": {option("CONFIG_INTEGRITY_PLATFORM_KEYRING=y\nCONFIG_INTEGRITY_MACHINE_KEYRING=y\n# CONFIG_INTEGRITY_CA_MACHINE_KEYRING is not set\nCONFIG_LOAD_UEFI_KEYS=y\n", ""), "mok.ko", "ro", Refused, "does not take enrolled keys", NotTrusted},
		"enrolled, real-time":                     {option("# CONFIG_EFI_DISABLE_RUNTIME is not set", "CONFIG_EFI_DISABLE_RUNTIME=y"), "mok.ko", "ro", Unknown, "enrolled", ""},
		"enrolled, efi=noruntime":                 {nil, "mok.ko", "efi=noruntime", Unknown, "efi is on the command line", ""},
		"not enrolled, not Debian's kernel":       {nobody.with(foreign), "mok.ko", "ro", Unknown, "built into the kernel", ""},
		"the kernel's own, not at hand":           {nil, "kernel.ko", "ro", Unknown, "with which the kernel's own modules are signed; its signature cannot be checked here", ""},
		"the kernel's own, at hand":               {files{"root/var/lib/dkms/mok.pub": string(kernel)}, "kernel.ko", "ro", Loads, "with which the kernel's own modules are signed", ""},
		"signed twice":                            {nil, "twice.ko", "ro", Loads, "signed by CN=mok key, which is enrolled", ""},
		"own modules by two keys":                 {files{own + "b.ko": string(fixture(t, "mok.ko"))}.with(nobody), "mok.ko", "ro", Unknown, "built into the kernel", ""},
		"own modules not signed":                  {files{own + "a.ko": "", own + "b.ko": ""}.with(nobody), "mok.ko", "ro", Unknown, "built into the kernel", ""},
		"ECDSA, enrolled":                         {enrolled(other, fixture(t, "ec.der")), "ec.ko", "ro", Unknown, "cannot be checked", ""},
		"no algorithm in the kernel":              {option("CONFIG_CRYPTO_SHA512=y", "CONFIG_CRYPTO_SHA512=m"), "mok512.ko", "ro", Unknown, "cannot be checked", ""},
		"image not signed":                        {files{"root/boot/vmlinuz-" + release: image(debianVersion, nil)}, "mok.ko", "ro", Unknown, "image is not signed", ""},
		"image signed by nobody known":            {files{"root/boot/vmlinuz-" + release: image(debianVersion, []byte("a table"))}, "mok.ko", "ro", Unknown, "whose key signed", ""},

		"off, not signed":                                        {off, "unsigned.ko", "ro", Loads, "not signed; the kernel does not enforce signatures", ""},
		"off, the line is not known":                             {off, "unsigned.ko", "", Unknown, "command line of the kernel is not known", ""},
		"off, not enrolled":                                      {off.with(nobody), "mok.ko", "ro", Loads, "the kernel does not enforce", ""},
		"off, changed":                                           {off.with(nobody), "changed.ko", "ro", Loads, "the kernel does not enforce", ""},
		"off, in shim":                                           {files{vars + "MokSBStateRT-" + efivars.Shim: atRuntime + "\x01"}, "unsigned.ko", "ro", Loads, "does not enforce", ""},
		"off in shim, not by shim":                               {files{vars + "MokSBStateRT-" + efivars.Shim: nonvolatil + "\x01"}, "unsigned.ko", "ro", Unknown, "MokSBStateRT", ""},
		"off in shim at the next boot":                           {files{vars + "MokSB-" + efivars.Shim: nonvolatil + "\x01"}, "unsigned.ko", "ro", Unknown, "waits for a reboot", ""},
		"off, setup":                                             {files{vars + "SetupMode-" + efivars.Firmware: atRuntime + "\x01"}, "unsigned.ko", "ro", Loads, "does not enforce", ""},
		"off, module.sig_enforce, not signed":                    {off, "unsigned.ko", "ro module.sig_enforce=1 quiet", Refused, "(module.sig_enforce)", NotSigned},
		"off, module.sig_enforce, set twice":                     {off, "unsigned.ko", "module.sig-enforce module.sig_enforce=0", Refused, "(module.sig_enforce)", NotSigned},
		"off, module.sig_enforce=0":                              {off, "unsigned.ko", "module.sig_enforce=0 -- module.sig_enforce=1", Loads, "", ""},
		"off, module.sig_enforce, enrolled":                      {off, "mok.ko", "module.sig_enforce=1", Refused, "only under Secure Boot", NotTrusted},
		"off, module.sig_enforce, enrolled, not Debian's kernel": {off.with(foreign), "mok.ko", "module.sig_enforce=1", Unknown, "without Secure Boot", ""},
		"off, module.sig_enforce, not enrolled":                  {off.with(nobody), "mok.ko", "module.sig_enforce=1", Refused, "whose key is not built into this kernel", NotTrusted},
		"off, lockdown":                                          {off, "unsigned.ko", "lockdown=integrity", Refused, "lockdown on its command line", NotSigned},
		"off, lockdown=none":                                     {off, "unsigned.ko", "lockdown=none", Loads, "", ""},
		"off, CONFIG_MODULE_SIG_FORCE":                           {off.with(option("# CONFIG_MODULE_SIG_FORCE is not set", "CONFIG_MODULE_SIG_FORCE=y")), "unsigned.ko", "", Refused, "CONFIG_MODULE_SIG_FORCE", NotSigned},
		"off, locked down by its configuration":                  {off.with(option("FORCE_NONE", "FORCE_INTEGRITY")), "unsigned.ko", "", Refused, "locks it down", NotSigned},
		"off, IMA":                                               {off, "unsigned.ko", "ima_policy=secure_boot", Unknown, "ima_policy", ""},
		"off, a built-in command line":                           {off.with(option("# CONFIG_CMDLINE_BOOL is not set", `CONFIG_CMDLINE="module.sig_enforce=1"`)), "unsigned.ko", "ro", Unknown, "CONFIG_CMDLINE", ""},
		"off, a built-in command line alone":                     {off.with(option("# CONFIG_CMDLINE_BOOL is not set", "CONFIG_CMDLINE=\"module.sig_enforce=1\"\nCONFIG_CMDLINE_OVERRIDE=y")), "unsigned.ko", "", Refused, "module.sig_enforce", NotSigned},
		"the kernel checks no signatures":                        {option("CONFIG_MODULE_SIG=y", "# CONFIG_MODULE_SIG is not set").with(off), "unsigned.ko", "ro", Loads, "checks no signatures", ""},
		"the kernel checks no signatures, changed":               {option("CONFIG_MODULE_SIG=y", "# CONFIG_MODULE_SIG is not set").with(off), "changed.ko", "ro", Loads, "signed by CN=mok key; the kernel checks no signatures", ""},
		"the kernel checks no signatures, revoked":               {files{vars + "MokListXRT-" + efivars.Shim: atRuntime + list(mok)}.with(option("CONFIG_MODULE_SIG=y", "# CONFIG_MODULE_SIG is not set")).with(off), "mok.ko", "ro", Loads, "checks no signatures", ""},
		"revoked, the module itself":                             {files{vars + "dbx-" + efivars.Database: nonvolatil + digests(sum256(fixture(t, "unsigned.ko")))}, "mok.ko", "ro", Unknown, "revoked", ""},
		"enrolled, nomodule":                                     {nil, "mok.ko", "nomodule", Unknown, "nomodule is on the command line", ""},
		"enrolled, a policy of IMA":                              {files{"root/etc/ima/ima-policy": "appraise func=MODULE_CHECK"}, "mok.ko", "ro", Unknown, "IMA", ""},
		"off, nomodule":                                          {off, "unsigned.ko", "nomodule", Unknown, "nomodule", ""},
		"no configuration":                                       {files{config: ""}, "unsigned.ko", "ro", Unknown, "configuration", ""},
		"two configurations":                                     {files{"root/lib/modules/" + release + "/config": strings.Replace(debianConfig, "LOAD_UEFI_KEYS=y", "LOAD_UEFI_KEYS=n", 1)}, "unsigned.ko", "ro", Unknown, "two different", ""},
		"Secure Boot locks nothing down":                         {option("CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y", "CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=n"), "unsigned.ko", "ro", Unknown, "under Secure Boot is not known", ""},
		"Secure Boot, a kernel of kernel.org":                    {option("CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y", "# nothing").with(option("CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT=y\nCONFIG_INTEGRITY_PLATFORM_KEYRING=y\nCONFIG_INTEGRITY_MACHINE_KEYRING=y\n# CONFIG_INTEGRITY_CA_MACHINE_KEYRING is not set\nCONFIG_LOAD_UEFI_KEYS=y\nCONFIG_IMA_ARCH_POLICY=y", "")), "unsigned.ko", "ro", Loads, "does not enforce", ""},
		"a list of keys is damaged":                              {files{table + "MokListRT": list(other) + "x"}, "mok.ko", "ro", Unknown, "MokListRT cannot be read", ""},
		"the list of keys is split":                              {files{table + "MokListRT": "", vars + "MokListRT-" + efivars.Shim: atRuntime + list(other), vars + "MokListRT1-" + efivars.Shim: atRuntime + list(mok)}, "mok.ko", "ro", Unknown, "as a whole", ""},
		"no module":                                              {nil, "mok.der", "ro", Refused, notSigned, NotSigned},
		"no file":                                                {nil, "nothing.ko", "ro", Unknown, "no such file", ""},
		"damaged signature":                                      {nil, "damaged.ko", "ro", Unknown, "signature", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, debian(t).with(c.files), module(t, c.module), c.line, false)
			assert.Equal(t, c.want, a.Verdict, a.Reason)
			assert.Equal(t, c.cause, a.Cause, a.Reason)
			assert.Contains(t, a.Reason, c.reason)
		})
	}
}

// What a machine without UEFI, another root and the running kernel show.
func TestJudgeHost(t *testing.T) {
	mok, other := fixture(t, "mok.der"), fixture(t, "other.der")
	uefi := debian(t)
	plain := files{}
	for name, data := range uefi {
		if !strings.HasPrefix(name, "host/sys/firmware/efi/") {
			plain[name] = data
		}
	}
	bios := plain.with(files{"host/sys/firmware/acpi/x": "x"})
	keys := func(of ...[]byte) files {
		text := "24cf188f I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1\n"
		for _, der := range of {
			text += fmt.Sprintf("2b4c2 I------     1 perm 1f030000     0     0 asymmetri key: %x: X509.rsa 0584b25f []\n", certificateOf(t, der).KeyID)
		}
		return files{"host/proc/keys": text}
	}
	shows := func(line, enforce, lockdown string) files {
		return files{"host/proc/cmdline": line + "\n", "host/sys/module/module/parameters/sig_enforce": enforce, "host/sys/kernel/security/lockdown": lockdown}
	}
	const none, integrity = "[none] integrity confidentiality\n", "none [integrity] confidentiality\n"
	for name, c := range map[string]struct {
		files   files
		module  string
		line    string
		running bool
		want    Verdict
		reason  string
	}{
		"no UEFI":                                           {bios, "unsigned.ko", "ro", false, Loads, "does not enforce"},
		"no UEFI, module.sig_enforce":                       {bios, "mok.ko", "module.sig_enforce=1", false, Refused, "not built into this kernel"},
		"another root":                                      {plain, "unsigned.ko", "ro", false, Unknown, "not known here"},
		"another root, a signature":                         {plain, "mok.ko", "ro", false, Unknown, "not known here"},
		"another root, module.sig_enforce":                  {plain, "unsigned.ko", "module.sig_enforce=1", false, Refused, "module.sig_enforce"},
		"running, all agrees":                               {uefi.with(shows("BOOT_IMAGE=/vmlinuz ro", "N\n", integrity)).with(keys(other, mok)), "mok.ko", "", true, Loads, "which is enrolled"},
		"running, not enrolled":                             {uefi.with(shows("ro", "Y\n", integrity)).with(keys(other)).with(enrolled(other)), "mok.ko", "", true, Refused, "not enrolled"},
		"running, enrolled, not shown":                      {uefi.with(shows("ro", "N\n", integrity)).with(keys(other)), "mok.ko", "", true, Unknown, "does not show"},
		"running, not enrolled, shown":                      {uefi.with(shows("ro", "N\n", integrity)).with(keys(other, mok)).with(enrolled(other)), "mok.ko", "", true, Unknown, "has that key"},
		"running, not locked down":                          {uefi.with(shows("ro", "N\n", none)), "unsigned.ko", "", true, Unknown, "otherwise than"},
		"running, locked down by hand":                      {bios.with(shows("ro", "N\n", integrity)), "unsigned.ko", "", true, Unknown, "otherwise than"},
		"running, another line at the next boot":            {bios.with(shows("ro", "N\n", none)), "unsigned.ko", "module.sig_enforce=1", true, Refused, "module.sig_enforce"},
		"running, the line of the boot loader":              {bios.with(shows("BOOT_IMAGE=/x ro", "N\n", none)), "unsigned.ko", "ro", true, Loads, "does not enforce"},
		"running, the line of the boot loader is not known": {bios.with(shows("ro", "N\n", none)), "unsigned.ko", "?", true, Unknown, "command line of the kernel is not known"},
		"running, its own configuration alone":              {bios.with(shows("ro", "N\n", none)).with(files{config: "", "host/proc/config.gz": string(kmodtest.Gzip([]byte(debianConfig)))}), "unsigned.ko", "", true, Loads, "does not enforce"},
		"running, another configuration":                    {bios.with(shows("ro", "Y\n", none)).with(files{"host/proc/config.gz": string(kmodtest.Gzip([]byte("CONFIG_MODULES=y\n")))}), "unsigned.ko", "", true, Refused, "the running kernel enforces it"},
		"running, no configuration":                         {bios.with(shows("ro", "N\n", none)).with(files{config: ""}), "unsigned.ko", "", true, Loads, "the running kernel does not enforce it"},
		"running, built by Debian":                          {uefi.with(shows("ro", "N\n", integrity)).with(enrolled(other)).with(files{"root/boot/vmlinuz-" + release: "", "host/proc/version": "Linux version " + debianVersion}), "mok.ko", "", true, Refused, "not enrolled"},
		"running, by anybody, not shown":                    {uefi.with(shows("ro", "N\n", integrity)).with(keys(other)).with(enrolled(other)).with(files{"host/proc/version": "Linux version " + release + " (root@host) #1", own + "a.ko": "", own + "b.ko": ""}), "mok.ko", "", true, Refused, "not enrolled"},
		"running, the keys are cut off":                     {uefi.with(shows("ro", "N\n", integrity)).with(files{"host/proc/keys": keys(other)["host/proc/keys"] + strings.Repeat("\n", maxFile)}).with(enrolled(other)).with(files{"host/proc/version": "Linux version " + release + " (root@host) #1", own + "a.ko": "", own + "b.ko": ""}), "mok.ko", "", true, Unknown, "built into the kernel"},
		"running, an ordinary user":                         {uefi.with(shows("ro", "N\n", integrity)).with(files{"host/proc/keys": "2b4c2 I------ 1 perm 1f030000 1000 1000 asymmetri key: 00: X509.rsa 0584b25f []\n"}), "mok.ko", "", true, Loads, "which is enrolled"},
		"running, another image":                            {uefi.with(shows("ro", "N\n", integrity)).with(enrolled(other)).with(files{"host/proc/version": "Linux version " + release + " (root@host) #1"}), "mok.ko", "", true, Unknown, "built into the kernel"},
		"running, the image not signed, written before":     {uefi.with(shows("ro", "N\n", integrity)).with(files{vmlinuz: image(debianVersion, nil), "host/proc/stat": "cpu 1\nbtime 4000000000\n"}), "mok.ko", "", true, Loads, "which is enrolled"},
		"running, the image not signed, written since":      {uefi.with(shows("ro", "N\n", integrity)).with(files{vmlinuz: image(debianVersion, nil), "host/proc/stat": "cpu 1\nbtime 1000000000\n"}), "mok.ko", "", true, Unknown, "image is not signed"},
		"running, the image not signed, it is not known":    {uefi.with(shows("ro", "N\n", integrity)).with(files{vmlinuz: image(debianVersion, nil)}), "mok.ko", "", true, Unknown, "image is not signed"},
		"running, the image is not there":                   {uefi.with(shows("ro", "N\n", integrity)).with(files{vmlinuz: "", "host/proc/version": "Linux version " + debianVersion}), "mok.ko", "", true, Loads, "which is enrolled"},
		"variables not visible":                             {plain.with(files{"host/sys/firmware/efi/runtime": "x"}), "unsigned.ko", "ro", false, Unknown, "SecureBoot"},
		"no Secure Boot in the firmware":                    {uefi.with(files{vars + "SecureBoot-" + efivars.Firmware: ""}), "unsigned.ko", "ro", false, Loads, "does not enforce"},
	} {
		t.Run(name, func(t *testing.T) {
			a := judge(t, c.files, module(t, c.module), c.line, c.running)
			assert.Equal(t, c.want, a.Verdict, a.Reason)
			assert.Contains(t, a.Reason, c.reason)
		})
	}
}

// A container has an empty /sys/firmware. That is not one without UEFI.
func TestHiddenFirmware(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sys/firmware"), 0o755))
	f := readFirmware(HostAt(dir))
	assert.Equal(t, unknown, f.secure)
	assert.Equal(t, "the keys of the firmware are not known here", f.troubles)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sys/firmware/acpi"), 0o755))
	f = readFirmware(HostAt(dir))
	assert.Equal(t, no, f.secure)
	assert.Empty(t, f.troubles)
}

// A Host that knows nothing reads nothing of this machine.
func TestNoHost(t *testing.T) {
	f := readFirmware(Host{})
	assert.Equal(t, firmware{doubt: f.doubt, troubles: "the keys of the firmware are not known here"}, f)
	assert.Empty(t, Host{}.commandLine())
	assert.Equal(t, unknown, Host{}.enforces())
}

func TestByDKMS(t *testing.T) {
	all := debian(t)
	assert.True(t, judge(t, all, module(t, "mok.ko"), "ro", false).ByDKMS)
	assert.False(t, judge(t, all, module(t, "ec.ko"), "ro", false).ByDKMS)
	assert.False(t, judge(t, all, module(t, "unsigned.ko"), "ro", false).ByDKMS)
}

func certificateOf(t *testing.T, der []byte) Certificate {
	t.Helper()
	c, err := ParseCertificate(der)
	require.NoError(t, err)
	return c
}

func sum256(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// digests returns an EFI_SIGNATURE_LIST of the kind EFI_CERT_SHA256.
func digests(sum []byte) string {
	out := []byte("\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28")
	for _, n := range []int{28 + 16 + len(sum), 0, 16 + len(sum)} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return string(out) + "owner of the key" + string(sum)
}

// digestList returns an EFI_SIGNATURE_LIST of the kind EFI_CERT_X509_SHA256 with the digest of a
// certificate and the time of its revocation.
func digestList(c Certificate) string {
	sum := c.digests()[0]
	out := []byte("\x92\xa4\xd2\x3b\xc0\x96\x79\x40\xb4\x20\xfc\xf9\x8e\xf1\x03\xed")
	for _, n := range []int{28 + 16 + len(sum) + 16, 0, 16 + len(sum) + 16} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return string(out) + "owner of the key" + string(sum) + strings.Repeat("\x00", 16)
}
