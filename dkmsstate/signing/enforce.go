package signing

import (
	"runtime"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
)

// enforcement is whether a kernel rejects modules without a valid signature of a key that it
// trusts, and why, or why it is not known.
type enforcement struct {
	state state
	why   string
}

// enforced determines the enforcement of a kernel from its configuration, its command line and the
// firmware (kernel/module/signing.c, security/lockdown, security/integrity/ima/ima_efi.c).
func (k *Kernel) enforced() enforcement {
	e := k.predicted()
	seen := k.runtime()
	switch {
	case seen == unknown || seen == e.state:
		return e
	case e.state == unknown && seen == yes:
		return enforcement{yes, "the running kernel enforces it"}
	case e.state == unknown:
		return enforcement{no, "the running kernel does not enforce it"}
	}
	return enforcement{unknown, "the running kernel enforces signatures otherwise than its configuration and its command line"}
}

// runtime returns what the running kernel shows, if the question is about that one with the command
// line that it has.
func (k *Kernel) runtime() state {
	if k.release != k.m.layout.Running || ownWords(k.line) != ownWords(k.m.host.commandLine()) {
		return unknown
	}
	return k.m.host.enforces()
}

// ownWords returns a command line without what a boot loader adds to it.
func ownWords(line string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(line), func(word string) bool {
		return strings.HasPrefix(word, "BOOT_IMAGE=") || strings.HasPrefix(word, "initrd=")
	}), " ")
}

// predicted determines the enforcement from what is known before the kernel is started.
func (k *Kernel) predicted() enforcement {
	o := k.options
	p := k.parameters()
	force := o.on("LOCK_DOWN_KERNEL_FORCE_INTEGRITY") || o.on("LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY")
	early := o.on("SECURITY_LOCKDOWN_LSM_EARLY")
	secure := k.secure()
	switch {
	case k.trouble != nil:
		return enforcement{unknown, k.trouble.Error()}
	case k.checksNone():
		return enforcement{no, "the kernel checks no signatures"}
	case o.on("MODULE_SIG_FORCE"):
		return enforcement{yes, "CONFIG_MODULE_SIG_FORCE"}
	case p.enforce:
		return enforcement{yes, "module.sig_enforce"}
	case early && force:
		return enforcement{yes, "its configuration locks it down"}
	case early && p.lockdown:
		return enforcement{yes, "lockdown on its command line"}
	case early && o.on(secureBootLockdown) && secure == yes && p.keysDoubt == "":
		return enforcement{yes, "Secure Boot is on"}
	case force, p.lockdown:
		return enforcement{unknown, "whether the kernel's lockdown is active is not known"}
	case (o.on(secureBootLockdown) || o.on("IMA_ARCH_POLICY")) && secure != no:
		return enforcement{unknown, first(k.m.firmware().doubt, "whether the kernel enforces signatures under Secure Boot is not known")}
	case !k.lineKnown():
		return enforcement{unknown, lineUnknown}
	}
	return enforcement{no, "the kernel does not enforce signatures"}
}

// checksNone reports whether the kernel certainly looks at no signature, be it good or not.
func (k *Kernel) checksNone() bool { return k.trouble == nil && !k.options.on("MODULE_SIG") }

// parameters returns the parameters that the kernel gets. Its configuration may replace those of
// the boot loader.
func (k *Kernel) parameters() parameters {
	if k.options.on("CMDLINE_OVERRIDE") || k.options.on("CMDLINE_FORCE") {
		return parseParameters(k.options["CMDLINE"])
	}
	return parseParameters(k.line)
}

// lineUnknown is why an answer is uncertain without a command line.
const lineUnknown = "the command line of the kernel is not known"

func (k *Kernel) lineKnown() bool {
	return k.line != "" || k.options.on("CMDLINE_OVERRIDE") || k.options.on("CMDLINE_FORCE")
}

// otherwise returns what may make the kernel refuse a module with a good signature, or with none
// where it needs none, "" if there is nothing.
func (k *Kernel) otherwise() string {
	o, p := k.options, k.parameters()
	switch {
	case !k.lineKnown():
		return lineUnknown
	case p.doubt != "":
		return p.doubt + " is on the command line of the kernel"
	case parseParameters(o["CMDLINE"]) != parameters{}:
		return "CONFIG_CMDLINE has parameters that decide about it"
	case o.on("SECURITY_LOADPIN_ENFORCE"):
		return "the kernel may take modules of one file system only (LoadPin)"
	case dkmsstate.Exists(k.m.layout.Path("/etc/ima/ima-policy")), !o.on("MODULE_SIG") && o.on("IMA_ARCH_POLICY") && k.secure() != no:
		return "IMA may check the modules"
	}
	return k.imageRefused()
}

// secure returns whether the kernel sees Secure Boot as on. Machines without UEFI have other ways
// to start only what is signed.
func (k *Kernel) secure() state {
	switch {
	case slices.Contains([]string{"s390x", "ppc64", "ppc64le"}, runtime.GOARCH):
		return unknown
	case k.trouble == nil && !k.options.on("EFI"):
		return no
	}
	return k.m.firmware().secure
}
