package oracle

const (
	withoutUEFI = "no UEFI"
	insecure    = "no Secure Boot"
	secureBoot  = "Secure Boot"
	// enrolled enrols the key of dkms as a MOK. The GUID is that of its owner.
	enrolled = "--add-mok " + owner + " mok.pem"
	owner    = "605dab50-e046-4300-abb6-3dd810dd8b23"
	// foreignKey signs the installed module with a key that nobody else has.
	foreignKey = `cd /srv && openssl req -new -x509 -newkey rsa:2048 -nodes -days 100 -keyout f.key -outform DER -out f.der -subj /CN=foreign/ 2>/dev/null
f=$(ls /lib/modules/$K/updates/dkms/alpha.ko*); case $f in *.xz) xz -d $f;; esac
/usr/lib/linux-kbuild-*/scripts/sign-file sha256 f.key f.der ${f%.xz}; case $f in *.xz) xz -f --check=crc32 --lzma2=dict=1MiB ${f%.xz};; esac; rm f.key; cd /
`
)

// signatureCells are about which signatures a kernel takes. All predict from inside, where
// the firmware is.
func signatureCells() []Cell {
	cells := []Cell{
		{Name: withoutUEFI + ", signed by dkms", On: Signed},
		{Name: withoutUEFI + ", not signed", On: Unsigned},
		{Name: withoutUEFI + ", not signed, module.sig_enforce=1", On: Unsigned, Line: "module.sig_enforce=1"},
		{Name: withoutUEFI + ", signed by dkms, module.sig_enforce=1", On: Signed, Line: "module.sig_enforce=1", Quick: true},
		{Name: withoutUEFI + ", the kernel's own signature, module.sig_enforce=1", On: Unsigned, Line: "module.sig_enforce=1", Prepare: ownSignature, Module: "dummy"},
		{Name: withoutUEFI + ", not signed, lockdown=integrity", On: Unsigned, Line: "lockdown=integrity"},
		{Name: insecure + ", not signed", On: Unsigned, Starts: GRUB},
		{Name: insecure + ", enrolled, module.sig_enforce=1", On: Signed, Starts: GRUB, Variables: enrolled, Line: "module.sig_enforce=1"},
		{Name: secureBoot + ", enrolled", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled},
		{Name: secureBoot + ", enrolled, module.sig_enforce=1", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled, Line: "module.sig_enforce=1"},
		{Name: secureBoot + ", a key that nobody enrolled", On: Signed, Starts: GRUB, Secure: true},
		{Name: secureBoot + ", signed with another key than the enrolled one", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled, Prepare: foreignKey},
		{Name: secureBoot + ", enrolment is waiting", On: Signed, Starts: GRUB, Secure: true, Arrange: `printf 'a\na\n' | mokutil --import /var/lib/dkms/mok.pub`},
		{Name: secureBoot + ", not signed", On: Unsigned, Starts: GRUB, Secure: true},
		{Name: secureBoot + ", enrolled, changed after it was signed", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled, Prepare: changed},
		{Name: secureBoot + ", the key in db", On: Signed, Starts: GRUB, Secure: true, Variables: "--add-db " + owner + " mok.pem"},
		{Name: secureBoot + ", enrolled and in dbx", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled + " --set-json dbx.json"},
		{Name: secureBoot + ", validation off in shim, not signed", On: Unsigned, Starts: GRUB, Secure: true, Variables: "--set-json moksb.json"},
		{Name: withoutUEFI + ", not signed", On: Lab},
		{Name: withoutUEFI + ", a key that nobody enrolled", On: Lab, Prepare: "apt-get -qq install -y --no-install-recommends /debs/tools/openssl/*.deb >/dev/null\n" + foreignKey},
		{Name: withoutUEFI + ", not signed, module.sig_enforce=1", On: Lab, Line: "module.sig_enforce=1"},
		{Name: secureBoot + ", an image that is not signed starts next", On: Signed, Starts: GRUB, Secure: true, Variables: enrolled, Arrange: unsignedImage},
	}
	for i := range cells {
		c := &cells[i]
		c.Group, c.Inside = "signature", true
		if c.Module == "" {
			c.Module = "alpha"
		}
		if c.Starts == GRUB {
			c.Prepare += grubConfig
		}
	}
	return cells
}

// ownSignature makes a module of dkms out of one of the kernel's own that nobody strips: the
// key that is built into the kernel signed it.
const ownSignature = `mkdir /usr/src/dummy-1.0 && cd /usr/src/dummy-1.0 && xz -dc /lib/modules/$K/kernel/drivers/net/dummy.ko.xz >signed
printf 'PACKAGE_NAME=dummy\nPACKAGE_VERSION=1.0\nBUILT_MODULE_NAME[0]=dummy\nDEST_MODULE_LOCATION[0]=/updates/dkms\nSTRIP[0]=no\nMAKE[0]="cp signed dummy.ko"\nCLEAN=true\nAUTOINSTALL=yes\n' >dkms.conf
dkms add dummy/1.0 && dkms install --force dummy/1.0 -k $K
`

// changed changes a byte of the text of the installed module and of what dkms built.
const changed = `f=$(ls /lib/modules/$K/updates/dkms/alpha.ko*); xz -d $f; sed -i 's/alpha 1.0 loaded/alpha 1.0 LOADED/' ${f%.xz}; xz --check=crc32 --lzma2=dict=1MiB ${f%.xz}
`

// unsignedImage takes the signature from the kernel's image, as a kernel that somebody made
// has none.
const unsignedImage = `perl -e 'local $/; open F, "+<", $ARGV[0]; $_ = <F>; $p = unpack("V", substr($_, 0x3c, 4)) + 24 + 112 + 32; seek F, $p, 0; print F "\0" x 8' /boot/vmlinuz-$K
`
