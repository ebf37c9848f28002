package signing

import "slices"

// signer finds out about the signer of a message.
func (k *Kernel) signer(m Message) signer {
	f := k.m.firmware()
	s := signer{message: m}
	atHand := k.m.atHand() // those of the firmware first: two certificates may have one identifier
	if i := slices.IndexFunc(atHand, m.By); i >= 0 {
		s.certificate = atHand[i]
		s.revoked = f.revokes(s.certificate)
		s.waiting = contains(f.requested, s.certificate.Raw)
	}
	s.enrolled = contains(f.enrolled, s.certificate.Raw) || contains(f.database, s.certificate.Raw)
	shown := f.shows(s.certificate)
	running := k.release == k.m.layout.Running
	s.absent = running && shown == no
	s.trust, s.why = k.trusts(s)
	switch {
	case s.trust == yes && s.absent:
		s.trust, s.why = unknown, "the running kernel does not show that key"
	case s.trust == no && shown == yes:
		s.trust, s.why = unknown, "the running kernel has that key"
	}
	return s
}

// trusts reports whether the kernel has the key of a signer in a keyring with which it checks
// modules, and why (kernel/module/signing.c, certs/system_keyring.c).
func (k *Kernel) trusts(s signer) (state, string) {
	f := k.m.firmware()
	switch {
	case k.trouble != nil:
		return unknown, k.trouble.Error()
	case f.troubles != "":
		return unknown, f.troubles
	case f.changes && s.enrolled:
		return unknown, "a change of the enrolled keys waits for a reboot"
	case contains(f.enrolled, s.certificate.Raw):
		return k.trustsEnrolled()
	case s.enrolled:
		return k.trustsDatabase()
	}
	switch own := k.ownSigner(s.message); {
	case own == yes:
		return yes, "with which the kernel's own modules are signed"
	case own == unknown && !s.absent:
		return unknown, "the keys that are built into the kernel are not known"
	case !k.built.distribution && !s.absent:
		return unknown, "whether its key is built into the kernel is not known"
	case k.secure() != yes:
		return no, "whose key is not built into this kernel"
	}
	return no, "which is not enrolled"
}

// trustsEnrolled reports whether the kernel has the keys of MokListRT in such a keyring. That is
// .machine where shim's MokListTrustedRT says so, or .platform, which counts where the kernel is
// made for it. Both are filled only under Secure Boot (load_uefi.c).
func (k *Kernel) trustsEnrolled() (state, string) {
	o, f := k.options, k.m.firmware()
	loads := o.on("LOAD_UEFI_KEYS", "IMA_SECURE_AND_OR_TRUSTED_BOOT") && !o.on("EFI_DISABLE_RUNTIME")
	machine := o.on("INTEGRITY_MACHINE_KEYRING", "SECONDARY_TRUSTED_KEYRING") && !o.on("INTEGRITY_CA_MACHINE_KEYRING") && f.trusted
	platform := o.on("INTEGRITY_PLATFORM_KEYRING") && k.built.tested
	switch {
	case !o.on("INTEGRITY_MACHINE_KEYRING") && !o.on("INTEGRITY_PLATFORM_KEYRING") && !o.on("LOAD_UEFI_KEYS"):
		return no, "which is enrolled, but this kernel does not take enrolled keys"
	case k.secure() == no && k.built.tested:
		return no, "which is enrolled, but this kernel takes enrolled keys only under Secure Boot"
	case k.secure() != yes:
		return unknown, "which is enrolled; whether this kernel takes enrolled keys without Secure Boot is not known"
	case k.parameters().keysDoubt != "":
		return unknown, "which is enrolled; " + k.parameters().keysDoubt + " is on the command line"
	case loads && (machine || platform):
		return yes, "which is enrolled"
	}
	return unknown, "which is enrolled; whether this kernel takes enrolled keys for modules is not known"
}

// trustsDatabase reports whether the kernel has the keys of db in such a keyring: .platform, where
// the kernel is made for it.
func (k *Kernel) trustsDatabase() (state, string) {
	o, f := k.options, k.m.firmware()
	loads := o.on("LOAD_UEFI_KEYS", "INTEGRITY_PLATFORM_KEYRING") && !o.on("EFI_DISABLE_RUNTIME") && !f.ignoresDatabase
	switch {
	case !o.on("INTEGRITY_PLATFORM_KEYRING") && !o.on("LOAD_UEFI_KEYS"):
		return no, "which is in db, but this kernel does not take its keys"
	case loads && k.built.tested && k.parameters().keysDoubt == "":
		return yes, "which is in db"
	}
	return unknown, "which is in db; whether this kernel takes its keys for modules is not known"
}
