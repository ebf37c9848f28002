package signing

import (
	"context"
	"fmt"
	"hash"

	"dkms-hooks/dkmsstate"
)

// Verdict is whether a kernel takes a module, as far as its signature decides.
type Verdict string

// Loads and Refused are certain. Unknown is everything else.
const (
	Loads   Verdict = "loads"
	Refused Verdict = "does not load"
	Unknown Verdict = "cannot tell"
)

// Cause is what is to be done about a module that is refused or may be.
type Cause string

const (
	// NotSigned means that the module has to be signed.
	NotSigned Cause = "not signed"
	// NotEnrolled means that the certificate of its signer has to be enrolled.
	NotEnrolled Cause = "not enrolled"
	// NotTrusted means that the kernel does not have the key of its signer, and that an enrolment
	// does not help.
	NotTrusted Cause = "not trusted"
	// Waiting means that the enrolment has to be confirmed at the next boot.
	Waiting Cause = "waiting"
	// Changed means that the module was changed after it was signed.
	Changed Cause = "changed"
)

// Answer is a Verdict with its reason.
type Answer struct {
	Verdict Verdict
	// Reason is one line. Cause is "" where nothing is to be done.
	Reason string
	Cause  Cause
	// ByDKMS reports whether the key of dkms signed the module.
	ByDKMS bool
}

// noDigest is for Reader.Signature where the contents do not matter.
func noDigest([]byte) hash.Hash { return nil }

// ReadSignature reads the signature of a module's file, or returns kept if that is the one of the
// file.
func ReadSignature(ctx context.Context, l dkmsstate.Layout, file string, kept dkmsstate.SignatureRecord) (dkmsstate.SignatureRecord, error) {
	stamp := dkmsstate.StampFiles(file)
	if stamp == kept.Stamp {
		return kept, nil
	}
	signature, err := l.Reader.Signature(ctx, file, digestOf)
	return dkmsstate.SignatureRecord{Stamp: stamp, Message: signature.Message, Digest: signature.Digest}, err
}

// Judge answers whether the kernel takes the file of a module, when it is started. kept is what an
// earlier ReadSignature returned for the file.
func (k *Kernel) Judge(ctx context.Context, file string, kept dkmsstate.SignatureRecord) Answer {
	signature, err := ReadSignature(ctx, k.m.layout, file, kept)
	if err != nil {
		return Answer{Verdict: Unknown, Reason: err.Error()}
	}
	a := k.judge(signature)
	if a.Verdict != Loads {
		return a
	}
	if why := k.doubt(); why != "" {
		a = Answer{Verdict: Unknown, Reason: a.Reason + "; " + why, ByDKMS: a.ByDKMS}
	}
	return a
}

// Enforces reports whether the kernel certainly enforces signatures. Only then is a module refused.
func (k *Kernel) Enforces() bool { return k.enforcement().state == yes }

func (k *Kernel) judge(signature dkmsstate.SignatureRecord) Answer {
	if signature.Message == nil {
		return k.judgeUnsigned()
	}
	m, err := ParseMessage(signature.Message)
	if err != nil {
		return Answer{Verdict: Unknown, Reason: err.Error()}
	}
	a := k.judgeSigned(k.signer(m), signature.Digest)
	if own, err := k.m.own(); err == nil {
		a.ByDKMS = m.By(own)
	}
	return a
}

func (k *Kernel) judgeUnsigned() Answer {
	switch e := k.enforcement(); e.state {
	case yes:
		return Answer{Verdict: Refused, Cause: NotSigned, Reason: fmt.Sprintf("not signed, and this kernel takes only signed modules (%s)", e.why)}
	case no:
		return Answer{Verdict: Loads, Reason: "not signed; " + e.why}
	default:
		return Answer{Verdict: Unknown, Reason: "not signed; " + e.why}
	}
}

// judgeSigned answers for a signed module. A signature that does not fit is rejected even where
// signatures are not enforced, if the kernel has the key (module_sig_check). Where the kernel
// does not have the key, a signature is as good as none.
func (k *Kernel) judgeSigned(s signer, digest []byte) Answer {
	e, f := k.enforcement(), k.m.firmware()
	fits, checked := s.message.Fits(s.certificate, digest)
	by := "signed by CN=" + s.name()
	switch {
	case k.checksNone():
		return Answer{Verdict: Loads, Reason: by + "; " + e.why}
	case (s.revoked || f.revokesDigest(digest)) && !(s.trust == no && e.state == yes):
		return Answer{Verdict: Unknown, Reason: by + ", and revoked"}
	case checked && !fits && s.trust == yes && e.state == yes:
		return Answer{Verdict: Refused, Cause: Changed, Reason: by + ", and changed afterwards"}
	case checked && !fits && s.trust != no:
		return Answer{Verdict: Unknown, Reason: by + ", and changed afterwards"}
	case s.trust == yes && checked && k.computes(s.message):
		return Answer{Verdict: Loads, Reason: by + ", " + s.why}
	case s.trust == yes && e.state != no || s.trust == yes && !checked:
		return Answer{Verdict: Unknown, Reason: by + ", " + s.why + "; its signature cannot be checked here"}
	case e.state == no && (s.trust == no || checked):
		return Answer{Verdict: Loads, Reason: by + "; " + e.why}
	case s.trust == no && e.state == yes && s.waiting && k.secure() == yes:
		return Answer{Verdict: Unknown, Cause: Waiting, Reason: by + ", whose enrolment is waiting for a reboot"}
	case s.trust == no && e.state == yes:
		return Answer{Verdict: Refused, Cause: k.refusedFor(s), Reason: fmt.Sprintf("%s, %s (%s)", by, s.why, e.why)}
	case s.trust == no:
		return Answer{Verdict: Unknown, Reason: by + ", " + s.why + "; " + e.why}
	}
	return Answer{Verdict: Unknown, Reason: by + "; " + s.why}
}

// refusedFor returns what is to be done about a module whose signer the kernel does not trust.
func (k *Kernel) refusedFor(s signer) Cause {
	if s.enrolled || k.secure() != yes {
		return NotTrusted
	}
	return NotEnrolled
}

// computes reports whether the kernel itself contains what checks a message.
func (k *Kernel) computes(m Message) bool {
	sum := "CRYPTO_SHA256"
	if m.hash.Size() > 32 {
		sum = "CRYPTO_SHA512"
	}
	return k.options.on("CRYPTO_RSA", sum)
}

// signer is what is known of the signer of a module.
type signer struct {
	message Message
	// certificate is that of the signer, empty if it is not at hand.
	certificate Certificate
	// trust is whether the kernel has the key, and why.
	trust state
	why   string
	// enrolled reports whether it is in MokListRT or db, revoked whether a list of revoked
	// certificates contains it, waiting whether its enrolment is requested.
	enrolled, revoked, waiting bool
	// absent reports whether the kernel runs and does not show the key.
	absent bool
}

func (s signer) name() string {
	if s.certificate.Name != "" {
		return s.certificate.Name
	}
	return s.message.Signer()
}
