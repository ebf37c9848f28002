package hooks

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

// host returns what the running system shows of its firmware and its keys, or what a person says
// of those of another machine. In a chroot or a container, these concern another system.
func host(inv Invocation, here origin) signing.Host {
	switch {
	case inv.SecureBoot != SecureBootAsIs:
		return signing.Assumed(inv.SecureBoot == SecureBootOn)
	case here == booted:
		return signing.System()
	}
	return signing.Host{}
}

// SecureBoot is whether the machine that a root is for has Secure Boot on.
type SecureBoot int

// SecureBootAsIs is what the machine shows, which nothing does of another machine.
const (
	SecureBootAsIs SecureBoot = iota
	SecureBootOff
	SecureBootOn
)

// signature answers whether the kernel takes an installed module: the answer about that of its
// files which is refused, or of which it cannot be told.
func (k kernelAssessor) signature(m dkmsstate.Module) signing.Answer {
	if answer, known := k.signatures[m]; known {
		return answer
	}
	answer := signing.Answer{Verdict: signing.Loads}
	b, _ := k.s.Build(m, k.s.Arch)
	for i, f := range b.Files {
		a := k.signing().Judge(k.ctx, k.s.Layout.InstalledFile(k.s.Kernel, f), k.kept.Signatures[filepath.Join(f.Dir, f.Installed)])
		if i == 0 || a.Verdict == signing.Refused || a.Verdict == signing.Unknown && answer.Verdict == signing.Loads {
			answer = a
		}
		if a.Verdict == signing.Refused {
			break
		}
	}
	k.signatures[m] = answer
	return answer
}

// refusedHere finds a module that is installed as it should be and that the kernel does not load.
// Only the kernels that matter at the next boot are asked.
func (k kernelAssessor) refusedHere(m dkmsstate.Module) {
	if !k.checksSignature(m) {
		return
	}
	if a := k.signature(m); a.Verdict == signing.Refused {
		k.addHere(Finding{Kind: Refused, Module: m.String(), Reason: a.Reason, Fix: k.signatureFix(m, a)})
	}
}

// checksSignature reports whether the signature of a module decides about the next boot.
func (k kernelAssessor) checksSignature(m dkmsstate.Module) bool {
	return slices.Contains(k.boot.kernels, k.s.Kernel) && k.s.InOrder(m) && !k.ignored(m) && !k.shadowed(m) && k.signing().Enforces()
}

// shadowed reports whether modprobe loads another file in the place of an installed one.
func (k kernelAssessor) shadowed(m dkmsstate.Module) bool {
	b, _ := k.s.Build(m, k.s.Arch)
	return len(k.s.ShadowsOf(b)) > 0
}

// signatureFix returns what is to be done about a module that is refused.
func (k kernelAssessor) signatureFix(m dkmsstate.Module, a signing.Answer) string {
	dkms := func(action string) string {
		return k.inv.Command(fmt.Sprintf("dkms %s --force %s -k %s", action, m, k.s.Kernel))
	}
	again := dkms("build") + " && " + dkms("install")
	switch {
	case a.Cause == signing.NotSigned && k.s.Layout.NeverSigns:
		return fmt.Sprintf("let dkms sign it (try_sign_modules in %s), then run: %s", k.s.Layout.Path(dkmsstate.FrameworkConf), again)
	case a.Cause == signing.NotSigned:
		return fmt.Sprintf("find why dkms did not sign it (%s), then run: %s", k.inv.logCommand(k.s.Kernel, m.Name), again)
	case a.Cause == signing.NotEnrolled && a.ByDKMS:
		_, certificate := signing.Key(k.s.Layout)
		return enrolAdvice(k.inv, certificate)
	case a.Cause == signing.NotTrusted:
		return "sign it with a key that this kernel has"
	}
	return "sign it with the key of dkms: " + again
}

// signatureWords describes whether the kernel takes a module.
func (k kernelAssessor) signatureWords(m dkmsstate.Module) string {
	switch {
	case !k.s.InOrder(m):
		return "nothing is installed"
	case k.shadowed(m):
		return "cannot tell: another file is loaded"
	}
	a := k.signature(m)
	return inOneLine(fmt.Sprintf("%s: %s", a.Verdict, a.Reason))
}

// signatures returns those of the installed modules, for the record: a file that did not change is
// not read again.
func (r *run) signatures(ctx context.Context, kept map[string]dkmsstate.SignatureRecord) map[string]dkmsstate.SignatureRecord {
	s := r.after
	var found map[string]dkmsstate.SignatureRecord // nil without any, as the record has it
	for _, b := range s.Builds {
		for _, f := range b.Files {
			name := filepath.Join(f.Dir, f.Installed)
			if r, err := signing.ReadSignature(ctx, s.Layout, s.Layout.InstalledFile(s.Kernel, f), kept[name]); err == nil {
				if found == nil {
					found = map[string]dkmsstate.SignatureRecord{}
				}
				found[name] = r
			}
		}
	}
	return found
}

// signatureFixes returns what is to be done about modules that are refused, each thing once.
func signatureFixes(findings []Finding) []string {
	var fixes []string
	for _, f := range findings {
		if f.Kind == Refused && !slices.Contains(fixes, f.Fix) {
			fixes = append(fixes, f.Fix)
		}
	}
	return fixes
}

// refusedText returns a warning about modules that the kernel refuses, after a person's run built
// some.
func (r *run) refusedText(o Overview, err error) string {
	if err != nil {
		return ""
	}
	refused := slices.DeleteFunc(o.On(r.inv.Kernel), func(f Finding) bool { return f.Kind != Refused })
	return notice{noticeLines(r.nextBoot(), r.machine.Layout, refused), signatureFixes(refused)}.text(r.inv)
}
