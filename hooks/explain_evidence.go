package hooks

import (
	"fmt"
	"strings"

	"dkms-hooks/debpkg"
)

// evidence describes the facts behind a decision. It depends on nothing but its arguments.
func evidence(inv Invocation, w World, v KernelView, work unfinished) []Evidence {
	out := []Evidence{
		{"hook", fmt.Sprintf("%s for the kernel %s", inv.Hook, inv.Kernel)},
		{"action", actionWords(inv)},
		{"script", scriptWords(inv)},
		{"dpkg", dpkgWords(inv, w)},
		{"owners", ownersWords(w)},
	}
	if inv.Action.InFavour != nil {
		out = append(out, Evidence{"in favour", favourWords(inv, w)})
	}
	if len(w.Unconfigured) > 0 {
		out = append(out, Evidence{"waiting", "not configured yet: " + packageWords(w.Unconfigured)})
	}
	out = append(out, Evidence{"kernel", kernelWords(w, v)}, Evidence{"headers", headersWords(v)})
	if text := work.text(); text != "" {
		out = append(out, Evidence{"unfinished", text})
	}
	if text := work.transactionText(); text != "" {
		out = append(out, Evidence{"command", text})
	}
	if text := work.initramfsText(); text != "" {
		out = append(out, Evidence{"initramfs", text})
	}
	return out
}

func actionWords(inv Invocation) string {
	switch {
	case inv.Action.Word == debpkg.None:
		return "none"
	case !inv.Action.Known():
		return fmt.Sprintf("%s, not known to Policy 6.5", inv.Action)
	case inv.ByHand && inv.Script.Name == "":
		return fmt.Sprintf("%s, carried out without asking dpkg", inv.Action)
	}
	return inv.Action.String()
}

func scriptWords(inv Invocation) string {
	if inv.Script.Name == "" {
		return "none (a person or kernel-install)"
	}
	return fmt.Sprintf("the %s of %s", WithoutControls(inv.Script.Name), inv.callerName())
}

func dpkgWords(inv Invocation, w World) string {
	switch {
	case w.Unreadable != nil:
		return fmt.Sprintf("cannot be read: %v", w.Unreadable)
	case inv.Script.Package == "":
		return "no package given"
	case !w.CallerKnown:
		return fmt.Sprintf("has no package %s", WithoutControls(inv.Script.Package))
	}
	return packageWords([]debpkg.Package{w.Caller})
}

func ownersWords(w World) string {
	switch {
	case w.Unreadable != nil:
		return "unknown"
	case len(w.Owners) == 0:
		return "no installed package owns the kernel"
	}
	return packageWords(w.Owners)
}

func favourWords(inv Invocation, w World) string {
	replacement := inv.Action.InFavour.Package
	switch {
	case !w.IncomingKnown:
		return fmt.Sprintf("%s, but dpkg is not unpacking anything", replacement)
	case w.Incoming.Package != replacement:
		return fmt.Sprintf("%s, but dpkg is unpacking %s", replacement, w.Incoming.Package)
	}
	return fmt.Sprintf("dpkg is unpacking %s %s; does it contain this kernel: %s", w.Incoming.Package, w.Incoming.Version, w.Contains)
}

func kernelWords(w World, v KernelView) string {
	words := []string{"it has no modules"}
	if w.There {
		words[0] = "it has modules"
	}
	if v.Running {
		words = append(words, "it is running")
	}
	if v.BootsNext {
		words = append(words, "it boots next")
	} else if v.Newest {
		words = append(words, "it is the newest kernel with an image")
	}
	return strings.Join(words, ", ")
}

func headersWords(v KernelView) string {
	switch v.Headers {
	case HeadersForeign:
		return "not those of the image: " + v.HeadersReason
	case HeadersPresent:
		return "installed"
	}
	return "not installed, so that nothing can be built"
}

// packageWords describes packages: their versions, their statuses, and the files of dpkg's
// database that these are from.
func packageWords(list []debpkg.Package) string {
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprintf("%s %s: %s (%s)", p.Name, p.Version, p.Status, p.From))
	}
	return strings.Join(words, "; ")
}
