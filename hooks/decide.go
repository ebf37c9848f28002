package hooks

import (
	"fmt"
	"strings"

	"dkms-hooks/debpkg"
)

// Verdict is what a hook does about the kernel's modules.
type Verdict string

// Keep changes nothing, Unbuild takes the kernel's builds away, Autoinstall
// brings the kernel to the state that it should have, Defer leaves that to the
// hook that follows when the kernel itself has come.
const (
	Keep        Verdict = "keep"
	Unbuild     Verdict = "unbuild"
	Autoinstall Verdict = "autoinstall"
	Defer       Verdict = "defer"
)

// Decision is a verdict with its reason, and what to do for somebody who meant
// something else.
type Decision struct {
	Verdict Verdict
	Reason  string
	Hint    string
	// RemoveKernelDir reports whether the shell of the kernel's module tree may go too, since no
	// package has a file in it.
	RemoveKernelDir bool
}

// Decide returns the verdict on an invocation. It is a function of its values.
// Builds are unbuilt only when two witnesses agree that the kernel goes; every
// doubt ends in Keep.
func Decide(inv Invocation, w World) Decision {
	switch inv.Hook {
	case Prerm:
	case Postrm:
		return Decision{Verdict: Defer, Reason: fmt.Sprintf("%s; a reconcile follows when dpkg has finished", inv.calledBy())}
	default:
		return decideInstall(inv, w)
	}
	switch {
	case inv.Script.Name == "" && inv.ByHand:
		return decideByParams(inv)
	case !inv.wantsDatabase():
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s is not being removed (%s)", inv.callerName(), inv.Action)}
	case w.Unreadable != nil:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, and dpkg's database cannot be read: %v", inv.calledBy(), w.Unreadable), Hint: inv.overrideHint()}
	case inv.Script.Name == "" || inv.Script.Name == "postrm":
		return decideByOwner(inv, w)
	case inv.Script.Name != "prerm":
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s is not a removal", inv.calledBy())}
	case inv.Action.Word != debpkg.Remove || !inv.Action.Known():
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s does not remove the kernel", inv.calledBy())}
	case inv.Action.InFavour != nil:
		return decideInFavour(inv, w)
	}
	return decideRemove(inv, w)
}

func decideInstall(inv Invocation, w World) Decision {
	if !w.There {
		return Decision{Verdict: Defer, Reason: fmt.Sprintf("the kernel is not installed yet (no modules in /lib/modules/%s); its own hook runs later", inv.Kernel)}
	}
	return Decision{Verdict: Autoinstall, Reason: inv.calledBy()}
}

// decideByParams is for a person who names the action: that is an order.
func decideByParams(inv Invocation) Decision {
	if inv.Action.Known() && inv.Action.Word == debpkg.Remove && inv.Action.InFavour == nil {
		return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("requested with --params (%s)", inv.Action)}
	}
	return Decision{Verdict: Keep, Reason: fmt.Sprintf("requested with --params, and %s is not a removal", inv.Action)}
}

// decideByOwner is for callers without a prerm script: a person, kernel-install
// and its plugins under a postrm. The owner of the kernel decides.
func decideByOwner(inv Invocation, w World) Decision {
	word := inv.Action.Word
	removal := word == debpkg.Remove || word == debpkg.Purge || word == debpkg.Disappear ||
		word == debpkg.None && inv.Script.Name == ""
	switch {
	case !removal || !inv.Action.Known() && word != debpkg.None:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s does not remove the kernel", inv.calledBy())}
	case len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but the kernel belongs to %s", inv.calledBy(), list(w.Owners)), Hint: inv.overrideHint()}
	}
	return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("%s, and no installed package owns the kernel", inv.calledBy())}
}

// decideRemove is for `prerm remove`: dpkg must mean it too.
func decideRemove(inv Invocation, w World) Decision {
	switch {
	case !w.CallerKnown:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but dpkg has no such package", inv.calledBy()), Hint: inv.overrideHint()}
	case !w.Caller.Status.SelectedForRemoval() || w.Caller.Status.State != debpkg.HalfConfigured:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but its status in dpkg is %q", inv.calledBy(), w.Caller.Status), Hint: inv.overrideHint()}
	}
	if remaining := w.remaining(); len(remaining) > 0 {
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but %s has the kernel too", inv.calledBy(), list(remaining)), Hint: inv.overrideHint()}
	}
	return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("%s is being removed (%s, dpkg: %s)", inv.callerName(), inv.Action, w.Caller.Status)}
}

// decideInFavour is for `prerm remove in-favour PACKAGE VERSION`: dpkg removes
// the caller for a package whose control file it has unpacked already.
func decideInFavour(inv Invocation, w World) Decision {
	replacement := inv.Action.InFavour.Package
	switch {
	case !w.IncomingKnown || w.Incoming.Package != replacement:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but dpkg is not unpacking %s", inv.calledBy(), replacement)}
	case w.Contains == debpkg.ContainsYes:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, which contains this kernel", inv.calledBy())}
	case w.Contains != debpkg.ContainsNo:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, which may contain this kernel", inv.calledBy())}
	}
	if remaining := w.remaining(); len(remaining) > 0 {
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but %s has the kernel too", inv.calledBy(), list(remaining))}
	}
	return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("%s, which does not contain this kernel", inv.calledBy())}
}

// who names the package behind the call.
func (inv Invocation) callerName() string {
	if inv.Script.Package == "" {
		return "the kernel"
	}
	return oneLine(inv.Script.Package)
}

// witness says what the caller says.
func (inv Invocation) calledBy() string {
	if inv.Script.Name == "" {
		return fmt.Sprintf("not called by a maintainer script (%s)", inv.Action)
	}
	return fmt.Sprintf("called by the %s of %s (%s)", oneLine(inv.Script.Name), inv.callerName(), inv.Action)
}

func (inv Invocation) overrideHint() string {
	return fmt.Sprintf("to unbuild anyway: dkms-hooks run prerm %s --params remove", inv.Kernel)
}

func list(packages []debpkg.Package) string {
	var names []string
	for _, p := range packages {
		names = append(names, fmt.Sprintf("%s (%s)", p.Name, p.Status))
	}
	return strings.Join(names, ", ")
}

// oneLine keeps text from the environment from breaking a line of the report.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
