package hooks

import (
	"fmt"
	"strings"

	"dkms-hooks/debpkg"
)

// Verdict is what a hook does with the kernel's modules.
type Verdict string

// The verdicts.
const (
	// Keep changes nothing.
	Keep Verdict = "keep"
	// Unbuild removes the kernel's builds.
	Unbuild Verdict = "unbuild"
	// Autoinstall builds, installs and repairs what the kernel should have.
	Autoinstall Verdict = "autoinstall"
	// Defer leaves the work to a later run: the hook of the kernel's own package, or the
	// reconcile at the end of dpkg.
	Defer Verdict = "defer"
)

// Decision is a verdict with its reason.
type Decision struct {
	Verdict Verdict
	Reason  string
	// Hint is advice for a user who expected another verdict, "" for none.
	Hint string
	// RemoveKernelDir reports whether the kernel's module directory may be removed too, since
	// no package has a file in it.
	RemoveKernelDir bool
}

// Decide returns the verdict on an invocation. It depends on nothing but its arguments.
//
// Builds are unbuilt only if the caller and dpkg's database agree that the kernel is removed,
// or if a person orders it with --params. Every doubt ends in Keep.
func Decide(inv Invocation, w World) Decision {
	switch inv.Hook {
	case Prerm:
	case Postrm:
		if inv.Script.Name == "" {
			return Decision{Verdict: Defer, Reason: inv.calledBy() + "; postrm only requests a reconcile from dpkg", Hint: "to clean up after kernels that are gone: " + inv.Command(reconcileCommand)}
		}
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
	case inv.Script.Name == "prerm" && inv.Action.Word == debpkg.None && w.beingRemoved() && w.callerOwns(): // Proxmox passes no parameters
		return decideRemove(inv, w)
	case inv.Script.Name != "prerm":
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s is not a removal", inv.calledBy())}
	case inv.Action.Word != debpkg.Remove || !inv.Action.Known():
		d := Decision{Verdict: Keep, Reason: fmt.Sprintf("%s does not remove the kernel", inv.calledBy())}
		if !inv.Action.Known() {
			d.Hint = inv.overrideHint()
		}
		return d
	case inv.Action.InFavour != nil:
		return decideInFavour(inv, w)
	}
	return decideRemove(inv, w)
}

func decideInstall(inv Invocation, w World) Decision {
	switch {
	case w.There:
	case inv.Script.Name == "": // such as installkernel(8), before the modules are installed
		return Decision{Verdict: Defer, Reason: fmt.Sprintf("the kernel is not installed yet (no modules in /lib/modules/%s)", inv.Kernel),
			Hint: "when its modules are there: " + inv.runPostinst(inv.Kernel)}
	default:
		return Decision{Verdict: Defer, Reason: fmt.Sprintf("the kernel is not installed yet (no modules in /lib/modules/%s); its own hook runs later", inv.Kernel)}
	}
	return Decision{Verdict: Autoinstall, Reason: inv.calledBy()}
}

// decideByParams decides for a person who gave the action with --params. That is an order, and
// dpkg is not asked.
func decideByParams(inv Invocation) Decision {
	if inv.Action.Known() && inv.Action.Word == debpkg.Remove && inv.Action.InFavour == nil {
		return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("requested with --params (%s)", inv.Action)}
	}
	return Decision{Verdict: Keep, Reason: fmt.Sprintf("requested with --params, and %s is not a removal", inv.Action)}
}

// decideByOwner decides for callers without a prerm script: a person, or kernel-install(8) and
// its plugins under a postrm. The verdict depends on whether a package owns the kernel.
func decideByOwner(inv Invocation, w World) Decision {
	word := inv.Action.Word
	removal := word == debpkg.Remove || word == debpkg.Purge || word == debpkg.Disappear ||
		word == debpkg.None && inv.Script.Name == ""
	switch {
	case !removal || !inv.Action.Known() && word != debpkg.None:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s does not remove the kernel", inv.calledBy())}
	case w.Unheard && len(w.Owners) == 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, and there is nothing of a kernel %s", inv.calledBy(), inv.Kernel)}
	case len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but the kernel belongs to %s", inv.calledBy(), list(w.Owners)), Hint: inv.overrideHint()}
	}
	return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("%s, and no installed package owns the kernel", inv.calledBy())}
}

// decideRemove decides for `prerm remove`. dpkg must be removing the package, too.
func decideRemove(inv Invocation, w World) Decision {
	switch {
	case !w.CallerKnown:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but dpkg has no such package", inv.calledBy()), Hint: inv.overrideHint()}
	case !w.beingRemoved():
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but its status in dpkg is %q", inv.calledBy(), w.Caller.Status), Hint: inv.overrideHint()}
	}
	if inv.Action.Word == debpkg.None && w.IncomingKnown && w.Contains != debpkg.ContainsNo { // nothing says that it is in favour of that
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, while dpkg unpacks %s, which may contain this kernel", inv.calledBy(), w.Incoming.Package)}
	}
	if remaining := w.remaining(); len(remaining) > 0 {
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but %s has the kernel too", inv.calledBy(), list(remaining)), Hint: inv.overrideHint()}
	}
	return Decision{Verdict: Unbuild, Reason: fmt.Sprintf("%s is being removed (%s, dpkg: %s)", inv.callerName(), inv.Action, w.Caller.Status)}
}

// decideInFavour decides for `prerm remove in-favour PACKAGE VERSION`: dpkg removes the caller
// in favour of a package whose control file it has already unpacked.
func decideInFavour(inv Invocation, w World) Decision {
	replacement := inv.Action.InFavour.Package
	switch {
	case !w.IncomingKnown || w.Incoming.Package != replacement:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s, but dpkg is not unpacking %s", inv.calledBy(), replacement), Hint: inv.overrideHint()}
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

// callerName returns the name of the package whose maintainer script runs the hook, or "the
// kernel" if there is none.
func (inv Invocation) callerName() string {
	if inv.Script.Package == "" {
		return "the kernel"
	}
	return WithoutControls(inv.Script.Package)
}

// calledBy describes the caller and its action.
func (inv Invocation) calledBy() string {
	if inv.Script.Name == "" {
		return fmt.Sprintf("not called by a maintainer script (%s)", inv.Action)
	}
	return fmt.Sprintf("called by the %s of %s (%s)", WithoutControls(inv.Script.Name), inv.callerName(), inv.Action)
}

// overrideHint returns the command that unbuilds in spite of a doubt.
func (inv Invocation) overrideHint() string {
	return "to unbuild anyway: " + inv.runRemoval(inv.Kernel)
}

// list returns the names of packages with their statuses.
func list(packages []debpkg.Package) string {
	var names []string
	for _, p := range packages {
		names = append(names, fmt.Sprintf("%s (%s)", p.Name, p.Status))
	}
	return strings.Join(names, ", ")
}
