package hooks

import (
	"fmt"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// evidence puts what was found into words. It is a function of its values.
func evidence(inv Invocation, w World, v KernelView) []Evidence {
	said := []Evidence{
		{"hook", fmt.Sprintf("%s for the kernel %s", inv.Hook, inv.Kernel)},
		{"action", actionWords(inv)},
		{"script", scriptWords(inv)},
		{"dpkg", dpkgWords(inv, w)},
		{"owners", ownersWords(w)},
	}
	if inv.Action.InFavour != nil {
		said = append(said, Evidence{"in favour", favourWords(inv, w)})
	}
	if len(w.Unconfigured) > 0 {
		said = append(said, Evidence{"waiting", "their own hooks are still to be run: " + packages(w.Unconfigured)})
	}
	said = append(said, Evidence{"kernel", kernelWords(w, v)}, Evidence{"headers", headersWords(v)})
	if v.Unfinished != "" {
		said = append(said, Evidence{"unfinished", unfinishedWords(v.Unfinished)})
	}
	return said
}

func actionWords(inv Invocation) string {
	switch {
	case inv.Action.Word == debpkg.None:
		return "none is given"
	case !inv.Action.Known():
		return fmt.Sprintf("%s, which is none that Policy 6.5 knows", inv.Action)
	case inv.ByHand && inv.Script.Name == "":
		return fmt.Sprintf("%s, as an order", inv.Action)
	}
	return inv.Action.String()
}

func scriptWords(inv Invocation) string {
	if inv.Script.Name == "" {
		return "none: a person or kernel-install calls"
	}
	return fmt.Sprintf("the %s of %s", oneLine(inv.Script.Name), inv.who())
}

func dpkgWords(inv Invocation, w World) string {
	switch {
	case w.Unreadable != nil:
		return fmt.Sprintf("does not tell: %v", w.Unreadable)
	case inv.Script.Package == "":
		return "not asked about a package, since none is named"
	case !w.CallerKnown:
		return fmt.Sprintf("does not know %s", oneLine(inv.Script.Package))
	}
	return packages([]debpkg.Package{w.Caller})
}

func ownersWords(w World) string {
	switch {
	case w.Unreadable != nil:
		return "not known"
	case len(w.Owners) == 0:
		return "no package that is there owns the kernel"
	}
	return packages(w.Owners)
}

func favourWords(inv Invocation, w World) string {
	taker := inv.Action.InFavour.Package
	switch {
	case !w.IncomingKnown:
		return fmt.Sprintf("%s, but dpkg is not unpacking anything", taker)
	case w.Incoming.Package != taker:
		return fmt.Sprintf("%s, but dpkg is unpacking %s", taker, w.Incoming.Package)
	}
	return fmt.Sprintf("dpkg is unpacking %s %s; does it bring this kernel: %s", w.Incoming.Package, w.Incoming.Version, w.Contains)
}

func kernelWords(w World, v KernelView) string {
	words := []string{"its modules are not there"}
	if w.There {
		words[0] = "its modules are there"
	}
	if v.Running {
		words = append(words, "it is running")
	}
	if v.BootsNext {
		words = append(words, "it boots next, unless the boot loader was told otherwise")
	}
	return strings.Join(words, ", ")
}

func headersWords(v KernelView) string {
	switch v.Headers {
	case HeadersForeign:
		return "not those of the image: " + v.HeadersReason
	case HeadersPresent:
		return "there"
	}
	return "not there, so that nothing can be built"
}

func unfinishedWords(why dkmsstate.Unfinished) string {
	switch why {
	case dkmsstate.Interrupted:
		return "an earlier run was cut off in its work on this kernel"
	case dkmsstate.Initramfs:
		return "the initramfs is to be checked: it may hold modules that have changed"
	}
	return "an earlier run put off its work on this kernel"
}

// packages names packages with what dpkg has of them, and in which of its files.
func packages(list []debpkg.Package) string {
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprintf("%s %s: %s (%s)", p.Name, p.Version, p.Status, p.From))
	}
	return strings.Join(words, "; ")
}
